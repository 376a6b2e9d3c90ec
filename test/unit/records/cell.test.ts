import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CELL_ID_BYTES,
  type CellRange,
  cellId,
  cellRange,
  compareRanges,
  hashValue,
  headRange,
  isWithinRange,
  parseKey,
  rangeAt,
  rangeContains,
  toHex,
  utf8Encode,
} from '../../../src/records/index.ts';

const bitsOf = (id: Uint8Array) => Array.from(id, (byte) => byte.toString(2).padStart(8, '0')).join('');
const publisher = new Uint8Array(32).fill(7);

describe('a cell id', () => {
  test('is the key id followed by the publisher', () => {
    const key = parseKey('svc/web');
    const id = cellId({ key, publisher });
    expect(id).toHaveLength(CELL_ID_BYTES);
    expect(id).toEqual(Uint8Array.of(...key.id, ...publisher));
  });

  test('is one for all publishers of an immutable key', () => {
    const key = parseKey(`sha256:${toHex(hashValue(utf8Encode('value')))}`);
    const other = new Uint8Array(32).fill(8);
    expect(cellId({ key, publisher })).toEqual(cellId({ key, publisher: other }));
    expect(cellId({ key: parseKey('open'), publisher })).not.toEqual(
      cellId({ key: parseKey('open'), publisher: other }),
    );
  });
});

describe('a range', () => {
  const id = Uint8Array.of(0b1011_0110, 0b1100_0001);

  test('is the first bits of an id, with 0 behind them', () => {
    const prefixOf = (bits: number) => [...cellRange(id, bits).prefix];
    expect(prefixOf(0)).toEqual([]);
    expect(prefixOf(3)).toEqual([0b1010_0000]);
    expect(prefixOf(8)).toEqual([0b1011_0110]);
    expect(prefixOf(9)).toEqual([0b1011_0110, 0b1000_0000]);
    expect(prefixOf(16)).toEqual([...id]);
  });

  test('says its bits, and writes its prefix where it is told to', () => {
    const cell = Uint8Array.from({ length: 64 }, (_, i) => i * 37);
    for (const bits of [0, 1, 7, 8, 31, 32, 33, 200, 512]) {
      const range = cellRange(cell, bits);
      const text = Array.from({ length: bits }, (_, index) => range.bitAt(index)).join('');
      expect(text).toBe(bitsOf(cell).slice(0, bits));
      const written = new Uint8Array(70).fill(0xee);
      expect(range.write(written, 3)).toBe(3 + range.byteLength);
      expect(written.subarray(3, 3 + range.byteLength)).toEqual(range.prefix);
      expect([...written.subarray(3 + range.byteLength)].every((byte) => byte === 0xee)).toBe(true);
    }
  });

  test('stays as it is when the id it was taken from changes', () => {
    for (const bits of [1, 16, 32, 40, 512]) {
      const changing = new Uint8Array(64).fill(0xb6);
      const range = cellRange(changing, bits);
      const before = range.prefix.slice();
      changing.fill(0xff);
      expect(range.prefix).toEqual(before);
    }
  });

  test('contains what begins with its bits, of keys and of cells', () => {
    const range = cellRange(id, 11);
    expect(rangeContains(range, Uint8Array.of(0b1011_0110, 0b1101_1111))).toBe(true);
    expect(rangeContains(range, Uint8Array.of(0b1011_0110, 0b1110_0000))).toBe(false);
    expect(rangeContains(range, Uint8Array.of(0b1011_0111, 0b1100_0001))).toBe(false);
    expect(rangeContains(range, Uint8Array.of(0b1011_0110, 0b1100_0000, 0xff, 0xff))).toBe(true);
  });

  test('of a cell contains no key: an id that is shorter than the range is not in it', () => {
    const cell = cellId({ key: parseKey('svc/web'), publisher });
    expect(rangeContains(cellRange(cell, 512), cell)).toBe(true);
    expect(rangeContains(cellRange(cell, 257), cell.subarray(0, 32))).toBe(false);
    expect(rangeContains(cellRange(cell, 256), cell.subarray(0, 32))).toBe(true);
  });

  test('contains exactly the ids whose text of bits begins like it', () => {
    const bytes = fc.uint8Array({ minLength: 3, maxLength: 3 });
    const near = fc.tuple(bytes, fc.nat({ max: 23 })).map(([base, flip]) => {
      const other = base.slice();
      other[flip >> 3]! ^= 0x80 >> (flip & 7);
      return [base, other] as const;
    });
    fc.assert(
      fc.property(near, fc.nat({ max: 24 }), ([a, b], bits) => {
        expect(rangeContains(cellRange(a, bits), b)).toBe(bitsOf(b).startsWith(bitsOf(a).slice(0, bits)));
        expect(rangeContains(cellRange(a, bits), a)).toBe(true);
      }),
    );
  });

  test('of few bits is one object, wherever it comes from', () => {
    const cell = new Uint8Array(64).fill(0xb6);
    for (const bits of [0, 1, 13, 32]) {
      const range = cellRange(cell, bits);
      expect(cellRange(cell.slice(0, 32), bits)).toBe(range);
      expect(rangeAt(range.prefix, 0, bits)).toBe(range);
      expect(headRange(range.head, bits)).toBe(range);
    }
  });

  test('has one written form: 0 behind its last bit, and nothing missing', () => {
    const written = Uint8Array.of(0xff, 0b1010_0000, 1, 2, 3, 4);
    expect(rangeAt(written, 1, 3)).toEqual(cellRange(Uint8Array.of(0b1010_0000), 3));
    expect(rangeAt(written, 1, 2)).toBeUndefined();
    expect(rangeAt(written, 5, 9)).toBeUndefined();
    expect(rangeAt(written, 1, 40)).toEqual(cellRange(written.subarray(1), 40));
    expect(rangeAt(written, 1, 37)).toBeUndefined();
  });

  test('lies in another, and comes before it, as its text of bits says', () => {
    const ids = fc.uint8Array({ minLength: 6, maxLength: 6, max: 1 }).map((bytes) => bytes.map((byte) => byte * 0x81));
    const ranges = fc.tuple(ids, fc.nat({ max: 48 })).map(([id, bits]) => cellRange(id, bits));
    const textOf = ({ prefix, bits }: CellRange) => bitsOf(prefix).slice(0, bits);
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        expect(isWithinRange(a, b)).toBe(textOf(a).startsWith(textOf(b)));
        const [first, second] = [textOf(a).padEnd(48, '0'), textOf(b).padEnd(48, '0')];
        const order = first === second ? a.bits - b.bits : first < second ? -1 : 1;
        expect(Math.sign(compareRanges(a, b))).toBe(Math.sign(order));
      }),
    );
  });
});
