import { Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesEqual,
  CborWritable,
  encodeCbor,
  toHex,
  writeArrayHead,
  writeByteStringHead,
  writeRaw,
} from '../../../src/records/index.ts';

const oracle = new Encoder({ useRecords: false, tagUint8Array: false });
const expected = (value: unknown) => toHex(oracle.encode(value));

describe('encodeCbor', () => {
  test('writes what a general library writes', () => {
    const { item } = fc.letrec((tie) => ({
      item: fc.oneof(
        { depthSize: 'small', maxDepth: 5 },
        fc.maxSafeNat(),
        fc.nat(70_000),
        fc.integer(),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.string({ maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 300 }),
        fc.array(tie('item'), { maxLength: 30 }),
      ),
    }));
    fc.assert(
      fc.property(item, (value) => {
        expect(toHex(encodeCbor(value))).toBe(expected(value));
      }),
      { numRuns: 500 },
    );
  });

  test.each([0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER])(
    'writes %i in its shortest form',
    (value) => expect(toHex(encodeCbor(value))).toBe(expected(value)),
  );

  test.each([0, 1, 23, 24, 31, 32, 255, 256, 8_191, 65_535, 65_536, 100_000])(
    'writes texts, byte strings and arrays of %i',
    (length) => {
      for (const value of [
        'a'.repeat(length),
        'é'.repeat(length),
        new Uint8Array(length).fill(7),
        Array(length).fill(1),
      ])
        expect(bytesEqual(encodeCbor(value), oracle.encode(value))).toBe(true);
    },
  );

  test('never writes to bytes it has given away', () => {
    const values = Array.from({ length: 3_000 }, (_, i) => [i, `text ${i}`, new Uint8Array(i % 90).fill(i), 'é']);
    const items = values.map((value) => encodeCbor(value));
    expect(items.map(toHex)).toEqual(values.map(expected));
  });

  test('lets a value write itself, however large', () => {
    const part = encodeCbor('a part of some length, encoded before');
    class Repeated extends CborWritable {
      override write(): void {
        writeArrayHead(1_001);
        for (let i = 0; i < 1_000; i++) writeRaw(part, 0, part.length);
        writeByteStringHead(2);
        writeRaw(Uint8Array.of(1, 2, 3, 4), 1, 3);
      }
    }
    const same = [...Array(1_000).fill('a part of some length, encoded before'), Uint8Array.of(2, 3)];
    expect(toHex(encodeCbor(['before', new Repeated(), 'behind']))).toBe(expected(['before', same, 'behind']));
  });

  test('writes on after it was asked for what it does not write', () => {
    expect(() => encodeCbor([1, undefined])).toThrow('only what cbor.ts names');
    expect(toHex(encodeCbor([1]))).toBe('8101');
  });
});
