import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CborArray, decodeCbor, encodeCbor, fromHex } from '../../../src/records/index.ts';

describe('decodeCbor', () => {
  test('reads back what this build writes', () => {
    const item = fc.letrec((tie) => ({
      item: fc.oneof(
        { depthSize: 'small', maxDepth: 5 },
        fc.maxSafeNat(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array(),
        fc.array(tie('item'), { maxLength: 5 }),
      ),
    })).item;
    fc.assert(
      fc.property(item, (value) => {
        const decoded = decodeCbor(encodeCbor(value));
        expect(normal(decoded?.value)).toEqual(normal(value));
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['a second item', '0000'],
    ['an array that promises 4 billion elements', '9affffffff'],
    ['an array that promises more elements than bytes are left', '830101'],
    ['a byte string cut short', '4401'],
    ['a text that promises a gigabyte', '7a40000000'],
    ['nesting beyond any message', `${'81'.repeat(20)}00`],
    ['an indefinite array', '9f01ff'],
    ['an indefinite byte string', '5f4101ff'],
    ['a map', 'a10102'],
    ['a big integer', 'c24101'],
    ['a date tag', 'c11a00000000'],
    ['a negative integer', '20'],
    ['an 8-byte integer', '1b0000000000000001'],
    ['a half float', 'f93c00'],
    ['undefined', 'f7'],
  ])('refuses %s', (_name, hex) => expect(decodeCbor(fromHex(hex))).toBeUndefined());

  test('never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeCbor(bytes)),
      { numRuns: 2_000 },
    );
  });
});

describe('CborArray', () => {
  test('gives its elements one after the other, and one of them as it came', () => {
    const array = CborArray.parse(encodeCbor([7, ['a', ['b']], 'text', [1]]));
    expect([array?.length, array?.next(), array?.next()]).toEqual([4, 7, ['a', ['b']]]);
    const [first, second, third, last] = array?.toArray(3) ?? [];
    expect([first, second, third]).toEqual([7, ['a', ['b']], 'text']);
    expect(last).toBeInstanceOf(CborArray);
    expect((last as CborArray).toArray()).toEqual([1]);
    expect(array?.next()).toBeUndefined();
  });

  test('goes on behind an element whose bytes are known', () => {
    const known = encodeCbor(['/ip4/192.0.2.1', 300]);
    const array = CborArray.parse(encodeCbor([['/ip4/192.0.2.1', 300], 'behind']));
    expect(array?.bytes.slice(array.offset, array.offset + known.length)).toEqual(known.slice());
    array?.skip(known.length);
    expect([array?.next(), array?.next()]).toEqual(['behind', undefined]);
  });

  test.each([
    ['a number', '07'],
    ['a text', '6161'],
    ['nothing', ''],
    ['an array and a second item', '810000'],
    ['an array cut short', '8201'],
  ])('is not made of %s', (_name, hex) => expect(CborArray.parse(fromHex(hex))).toBeUndefined());
});

/** Byte strings come back as whatever view the library makes. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value, String).join(',');
  return Array.isArray(value) ? value.map(normal) : value;
}
