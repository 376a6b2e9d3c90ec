import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteaArray, int8Array } from '../../../src/registry/storages/postgres-arrays.ts';

/** What PostgreSQL 15 sends for these arrays in binary: SELECT array_send('…'). */
test('arrays are written as PostgreSQL writes them', () => {
  expect(byteaArray([Uint8Array.of(), Uint8Array.of(1, 255)]).toString('hex')).toBe(
    '000000010000000000000011' + '0000000200000001' + '00000000' + '0000000201ff',
  );
  expect(int8Array([1, -1]).toString('hex')).toBe(
    '000000010000000000000014' + '0000000200000001' + '000000080000000000000001' + '00000008ffffffffffffffff',
  );
});

test('every safe integer keeps its value', () => {
  const anySafe = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1));
  fc.assert(
    fc.property(anySafe, (value) => {
      expect(int8Array([value]).readBigInt64BE(24)).toBe(BigInt(value));
    }),
  );
  expect(() => int8Array([2 ** 53])).toThrow('whole numbers');
  expect(() => int8Array([0.5])).toThrow('whole numbers');
});
