import { describe, expect, it } from 'vitest';
import { KBucket, newEntry, type TableEntry } from '../../../src/kademlia/k-bucket.ts';
import { byteId, byteOf, contact } from './byte-ids.ts';

const entry = (value: number): TableEntry => newEntry(contact(value), [], 0);

function bucketOf(capacity: number, ...values: number[]): { bucket: KBucket; entries: TableEntry[] } {
  const bucket = new KBucket(0, { capacityOf: () => capacity, maxReplacements: capacity });
  const entries = values.map(entry);
  for (const each of entries) bucket.add(each);
  return { bucket, entries };
}

const valuesOf = (bucket: KBucket) => bucket.entries.map((each) => byteOf(each.contact));

describe('KBucket', () => {
  it('moves who is touched behind all others and keeps their order', () => {
    const { bucket, entries } = bucketOf(4, 1, 2, 3, 4);
    bucket.touch(entries[1]!);
    expect(valuesOf(bucket)).toEqual([1, 3, 4, 2]);
    bucket.touch(entries[1]!);
    expect(valuesOf(bucket)).toEqual([1, 3, 4, 2]);
    bucket.touch(entries[0]!);
    expect(valuesOf(bucket)).toEqual([3, 4, 2, 1]);
  });

  it('takes no more than its capacity', () => {
    const { bucket } = bucketOf(2, 1, 2);
    expect(bucket.isFull).toBe(true);
    expect(() => bucket.add(entry(3))).toThrow('a full bucket takes nobody');
  });

  it('keeps the replacements seen last, as many as it has places', () => {
    const { bucket } = bucketOf(2, 1, 2);
    for (const value of [3, 4, 5]) bucket.addReplacement(entry(value));
    expect(bucket.takeWaiting(byteId(3))).toBeUndefined();
    const taken = [
      bucket.takeReplacement(() => true),
      bucket.takeReplacement(() => true),
      bucket.takeReplacement(() => true),
    ];
    expect(taken.map((each) => each && byteOf(each.contact))).toEqual([5, 4, undefined]);
  });

  it('passes over replacements that are not acceptable', () => {
    const { bucket } = bucketOf(2, 1, 2);
    for (const value of [3, 4]) bucket.addReplacement(entry(value));
    expect(byteOf(bucket.takeReplacement((each) => byteOf(each.contact) === 3)!.contact)).toBe(3);
    expect(byteOf(bucket.takeWaiting(byteId(4))!.contact)).toBe(4);
  });

  it('gives up the place of an entry, and only of one it has', () => {
    const { bucket, entries } = bucketOf(3, 1, 2);
    bucket.delete(entries[0]!);
    expect(valuesOf(bucket)).toEqual([2]);
    expect(() => bucket.delete(entries[0]!)).toThrow('only an entry of the bucket');
  });
});
