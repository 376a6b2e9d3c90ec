import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCbor, encodeCbor, fromHex } from '../../../src/records/index.ts';

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

/** Byte strings come back as whatever view the library makes. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value, String).join(',');
  return Array.isArray(value) ? value.map(normal) : value;
}
