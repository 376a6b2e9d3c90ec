import { describe, expect, test } from 'vitest';
import {
  DEFAULT_NETWORK_CONSTANTS,
  EMPTY_VALUE_HASH,
  hashValue,
  parseKey,
  validateHeader,
} from '../../../src/records/index.ts';
import { aHeader, PUBLISHERS } from '../../support/records.ts';

const NOW = 1_795_224_000_000;
const check = (header: Parameters<typeof aHeader>[0]) =>
  validateHeader(aHeader(header), NOW, DEFAULT_NETWORK_CONSTANTS);

describe('validateHeader', () => {
  test('has nothing against a sound header', () => {
    expect(check({ seq: NOW * 1000, expiresAt: NOW + 1 })).toBeUndefined();
  });

  test('takes a seq up to a minute ahead and no more', () => {
    expect(check({ seq: (NOW + 60_000) * 1000, expiresAt: NOW + 1 })).toBeUndefined();
    expect(check({ seq: (NOW + 60_000) * 1000 + 1, expiresAt: NOW + 1 })).toBe('FROM_THE_FUTURE');
  });

  test('refuses a life over the maximum', () => {
    expect(check({ seq: 1, expiresAt: NOW + 31 * 86_400_000 })).toBe('TTL_TOO_LONG');
  });

  test('leaves expiry to the caller: an expired header is a floor', () => {
    expect(check({ seq: 1, expiresAt: NOW - 1 })).toBeUndefined();
  });

  test('refuses a tombstone with a value and seq 0 outside immutable keys', () => {
    expect(check({ seq: 1, deleted: true, valueHash: hashValue(Uint8Array.of(1)) })).toBe('MALFORMED');
    expect(check({ seq: 1, deleted: true, valueHash: EMPTY_VALUE_HASH })).toBeUndefined();
    expect(check({ seq: 0 })).toBe('MALFORMED');
  });

  test('lets only the owner publish under an owned key', () => {
    const key = parseKey(`@${PUBLISHERS[0]?.peerId}/x`);
    expect(check({ key, publisher: PUBLISHERS[0]?.publicKey })).toBeUndefined();
    expect(check({ key, publisher: PUBLISHERS[1]?.publicKey })).toBe('NOT_OWNER');
  });

  test('holds immutable records to seq 0, their hash, and no delete', () => {
    const value = Uint8Array.of(1, 2, 3);
    const hash = Buffer.from(hashValue(value)).toString('hex');
    const key = parseKey(`sha256:${hash}`);
    expect(check({ key, seq: 0, valueHash: hashValue(value) })).toBeUndefined();
    expect(check({ key, seq: 1, valueHash: hashValue(value) })).toBe('MALFORMED');
    expect(check({ key, seq: 0, valueHash: hashValue(Uint8Array.of(4)) })).toBe('VALUE_MISMATCH');
    expect(check({ key, seq: 0, deleted: true, valueHash: EMPTY_VALUE_HASH })).toBe('MALFORMED');
  });
});
