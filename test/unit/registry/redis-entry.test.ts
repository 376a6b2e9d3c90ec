import { expect, test } from 'vitest';
import { decodeRedisEntry, decodeRedisHead, encodeRedisEntry } from '../../../src/registry/storages/redis-entry.ts';

const ENTRY = { value: Uint8Array.of(0, 255, 13, 10), version: Number.MAX_SAFE_INTEGER, expiresAt: 1_700_000_000_000 };

test('an entry comes back from its bytes, and its head from the first sixteen', () => {
  const bytes = encodeRedisEntry(ENTRY);
  expect(decodeRedisEntry(bytes)).toEqual(ENTRY);
  expect(decodeRedisHead(bytes.subarray(0, 16))).toEqual({ version: ENTRY.version, expiresAt: ENTRY.expiresAt });
  expect(decodeRedisEntry(encodeRedisEntry({ ...ENTRY, value: new Uint8Array(0) }))?.value).toHaveLength(0);
});

test('the bytes are those the scripts unpack as two big-endian doubles', () => {
  const bytes = encodeRedisEntry({ value: Uint8Array.of(7), version: 1, expiresAt: 2 }, 3).subarray(3);
  expect(bytes.toString('hex')).toBe('3ff0000000000000400000000000000007');
});

test('the value is nobody else’s memory', () => {
  const bytes = encodeRedisEntry(ENTRY);
  const entry = decodeRedisEntry(bytes);
  bytes.fill(9);
  expect(entry?.value).toEqual(ENTRY.value);
});

test.each([
  ['', 'nothing'],
  ['3ff00000000000004000000000', 'a head cut short'],
  ['0000000000000000400000000000000007', 'version 0'],
  ['bff0000000000000400000000000000007', 'a version below 0'],
  ['3ff8000000000000400000000000000007', 'a version between two'],
  ['7ff8000000000000400000000000000007', 'a version that is no number'],
  ['3ff00000000000007ff800000000000007', 'a deadline that is no number'],
  [Buffer.from('some text of somebody else').toString('hex'), 'text'],
])('%s is no entry: %s', (hex) => {
  expect(decodeRedisEntry(Buffer.from(hex, 'hex'))).toBeUndefined();
});
