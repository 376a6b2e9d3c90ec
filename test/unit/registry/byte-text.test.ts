import { expect, test } from 'vitest';
import { fromByteText, toByteText } from '../../../src/registry/byte-text.ts';

/** Beside both bounds: of what is copied on the way in, and of what shares a buffer on the way out. */
const LENGTHS = [0, 1, 64, 65, 511, 512, 513, 4_095, 4_096, 4_097, 70_000, 2 ** 20];

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, n) => (n * 7 + length) & 255);

test('bytes of any length come back as they went, as plain Uint8Arrays', () => {
  for (const length of LENGTHS) {
    const text = toByteText(bytesOf(length));
    expect(text).toHaveLength(length);
    const bytes = fromByteText(text);
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect(Buffer.compare(bytes, bytesOf(length)), `${length} bytes`).toBe(0);
  }
});

test('a part of a buffer is that part alone', () => {
  for (const length of LENGTHS) {
    const inside = new Uint8Array(length + 10).fill(255);
    inside.set(bytesOf(length), 5);
    expect(toByteText(inside.subarray(5, length + 5))).toBe(toByteText(bytesOf(length)));
  }
});

test('text sorts as its bytes do', () => {
  const rows = [[0], [0, 0], [127], [127, 255], [128], [255], [255, 0]];
  const sorted = rows.map((row) => toByteText(Uint8Array.from(row))).toSorted((a, b) => (a < b ? -1 : 1));
  expect(sorted.map((text) => [...fromByteText(text)])).toEqual(rows);
});

test('bytes handed out are nobody else’s: writing to them changes no others', () => {
  const texts = LENGTHS.filter((length) => length < 10_000).flatMap((length) => [
    toByteText(bytesOf(length)),
    toByteText(bytesOf(length).reverse()),
  ]);
  const handedOut = texts.map(fromByteText);
  for (const [index, bytes] of handedOut.entries()) {
    bytes.fill(index);
    expect(handedOut.slice(index + 1).map(toByteText)).toEqual(texts.slice(index + 1));
  }
});

test('bytes that share a buffer cannot take it away to another thread', () => {
  const bytes = fromByteText('one of many');
  const transfer = [bytes.buffer as ArrayBuffer];
  try {
    // Copied here by Node 20; later ones throw.
    structuredClone(bytes, { transfer });
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataCloneError' });
  }
  expect(toByteText(bytes)).toBe('one of many');
});
