/** The laws of the merge: whatever order copies meet in, replicas end up with the same one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareVersions,
  decodeHeldRecord,
  EMPTY_VALUE_HASH,
  encodeHeldRecord,
  floorUntil,
  type HeldRecord,
  hashValue,
  mergeRecords,
} from '../../src/records/index.ts';
import { aHeader } from '../support/records.ts';

/** Copies of one cell: few distinct seqs, values and expiries, so that ties of every kind happen. A header may come without its value. */
const copy: fc.Arbitrary<HeldRecord> = fc
  .record({
    seq: fc.integer({ min: 1, max: 3 }),
    content: fc.integer({ min: 0, max: 2 }),
    deleted: fc.boolean(),
    expiresAt: fc.integer({ min: 1_000, max: 1_002 }),
    headerOnly: fc.boolean(),
  })
  .map(({ seq, content, deleted, expiresAt, headerOnly }) => {
    const value = deleted ? new Uint8Array(0) : Uint8Array.of(content);
    const valueHash = deleted ? EMPTY_VALUE_HASH : hashValue(value);
    return { header: aHeader({ seq, deleted, expiresAt, valueHash }), value: headerOnly ? undefined : value };
  });

const version = (record: HeldRecord) => record.header;

describe('the merge of two copies', () => {
  test('is commutative', () => {
    fc.assert(fc.property(copy, copy, (a, b) => void expect(mergeRecords(a, b)).toEqual(mergeRecords(b, a))));
  });

  test('is associative', () => {
    fc.assert(
      fc.property(copy, copy, copy, (a, b, c) => {
        expect(version(mergeRecords(mergeRecords(a, b), c))).toEqual(version(mergeRecords(a, mergeRecords(b, c))));
      }),
    );
  });

  test('is idempotent', () => {
    fc.assert(fc.property(copy, (a) => void expect(mergeRecords(a, a)).toEqual(a)));
  });

  test('ends with the same winner in any order of any number of copies', () => {
    fc.assert(
      fc.property(fc.array(copy, { minLength: 1, maxLength: 8 }), fc.nat(), (copies, rotation) => {
        const shifted = [...copies.slice(rotation % copies.length), ...copies.slice(0, rotation % copies.length)];
        const merge = (records: HeldRecord[]) => records.reduce(mergeRecords);
        expect(version(merge(copies))).toEqual(version(merge(shifted)));
        const best = copies.reduce((best, record) => (compareVersions(record.header, best.header) > 0 ? record : best));
        expect(compareVersions(version(merge(copies)), best.header)).toBe(0);
      }),
    );
  });

  test('never loses a value to a header of the same value', () => {
    fc.assert(
      fc.property(copy, fc.integer({ min: 0, max: 5 }), (a, later) => {
        const held = { ...a, value: a.value ?? Uint8Array.of(9) };
        const renewal = { header: { ...a.header, expiresAt: a.header.expiresAt + later }, value: undefined };
        expect(mergeRecords(held, renewal)).toEqual({ header: renewal.header, value: held.value });
      }),
    );
  });

  test('orders a tombstone above a record of the same seq, and a later record above both', () => {
    const record = aHeader({ seq: 5 });
    const tombstone = aHeader({ seq: 5, deleted: true, valueHash: EMPTY_VALUE_HASH });
    expect(compareVersions(tombstone, record)).toBeGreaterThan(0);
    expect(compareVersions(aHeader({ seq: 6 }), tombstone)).toBeGreaterThan(0);
  });
});

describe('a held record', () => {
  test('survives the disk', () => {
    fc.assert(fc.property(copy, (record) => void expect(decodeHeldRecord(encodeHeldRecord(record))).toEqual(record)));
  });

  test('keeps its floor until nothing older can be alive, and at least until it expires itself', () => {
    const maxTtlMs = 1_000_000;
    expect(floorUntil(aHeader({ seq: 5_000_000, expiresAt: 6_000 }), { maxTtlMs })).toBe(5_000 + maxTtlMs + 600_000);
    expect(floorUntil(aHeader({ seq: 5_000_000, expiresAt: 9_999_999 }), { maxTtlMs })).toBe(9_999_999);
  });
});
