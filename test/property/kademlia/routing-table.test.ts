import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RoutingTable } from '../../../src/kademlia/index.ts';
import { byteId, byteOf, contact, nearestFirst, neighbourhoodOf } from '../../unit/kademlia/byte-ids.ts';

const id = fc.integer({ min: 0, max: 255 });

type Operation = readonly ['insert' | 'failed' | 'remove' | 'restore' | 'searched', number];

const operation: fc.Arbitrary<Operation> = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant('insert' as const) },
    fc.constantFrom('failed' as const, 'remove' as const, 'restore' as const),
  ),
  id,
);

/** Some share a /24, some a /48, some are private. */
function addressesOf(value: number): string[] {
  if (value % 5 === 0) return [`/ip4/203.0.${value % 3}.${value}/tcp/1`];
  return value % 7 === 0 ? [`/ip6/2001:db8:${value % 2}::${value}/tcp/1`] : [`/ip4/10.0.0.${value}/tcp/1`];
}

interface Occupancy {
  readonly places: readonly number[];
  readonly trusted: readonly number[];
}

/** By bucket index. */
function occupancyOf(table: RoutingTable): Occupancy {
  const places = new Array<number>(8).fill(0);
  for (const { contact: placed } of table.entries()) places[table.bucketIndex(placed.id)]!++;
  return { places, trusted: table.sizes() };
}

/** @returns what there was before and after each operation */
function apply(table: RoutingTable, operations: readonly Operation[]): { before: Occupancy; after: Occupancy }[] {
  return operations.map(([what, value], at) => {
    const before = occupancyOf(table);
    if (what === 'insert') table.insert(contact(value, addressesOf(value)), at);
    else if (what === 'restore') table.restore(contact(value, addressesOf(value)), at);
    else if (what === 'failed') table.failed(byteId(value));
    else if (what === 'searched') table.markSearched(value % 8);
    else table.remove(byteId(value));
    return { before, after: occupancyOf(table) };
  });
}

describe('RoutingTable', () => {
  it('keeps its buckets in order, whatever happens', () => {
    fc.assert(
      fc.property(
        id,
        fc.integer({ min: 1, max: 4 }),
        fc.array(operation, { maxLength: 120 }),
        (self, k, operations) => {
          const table = new RoutingTable({ self: byteId(self), k, maxPerGroup: 5 });
          const steps = apply(table, operations);
          const entries = [...table.entries()];
          const values = entries.map((entry) => byteOf(entry.contact));
          expect(new Set(values).size).toBe(values.length);
          expect(values).not.toContain(self);
          for (let bucket = 0; bucket < 8; bucket++) {
            const here = entries.filter((entry) => Math.clz32(byteOf(entry.contact) ^ self) - 24 === bucket);
            expect(here.length).toBeLessThanOrEqual(3 * k);
            for (const group of new Set(here.flatMap((entry) => entry.groups))) {
              expect(here.filter((entry) => entry.groups.includes(group)).length).toBeLessThanOrEqual(2);
            }
          }
          // More than K only where fewer than K, this node included, were nearer when the last of them came.
          for (const { before, after } of steps) {
            for (const [bucket, size] of after.places.entries()) {
              if (size <= Math.max(k, before.places[bucket]!)) continue;
              expect(after.trusted.slice(bucket + 1).reduce((sum, nearer) => sum + nearer, 1)).toBeLessThan(k);
            }
          }
          for (const group of new Set(entries.flatMap((entry) => entry.groups))) {
            expect(entries.filter((entry) => entry.groups.includes(group)).length).toBeLessThanOrEqual(5);
          }
          expect(table.size).toBe(entries.filter((entry) => entry.failures < 2).length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('orders a bucket by when its contacts were last seen', () => {
    fc.assert(
      fc.property(id, fc.array(id, { maxLength: 60 }), (self, seen) => {
        const table = new RoutingTable({ self: byteId(self), k: 256 });
        seen.forEach((value, at) => {
          table.insert(contact(value), at);
        });
        const lastSeen = new Map(seen.map((value, at) => [value, at]));
        lastSeen.delete(self);
        const bucketOf = (value: number) => Math.clz32(value ^ self);
        const expected = [...lastSeen.keys()].sort(
          (a, b) => bucketOf(a) - bucketOf(b) || lastSeen.get(a)! - lastSeen.get(b)!,
        );
        expect(Array.from(table.entries(), (entry) => byteOf(entry.contact))).toEqual(expected);
      }),
    );
  });

  it('claims to know its neighbourhood where it met everybody, and is right', () => {
    fc.assert(
      fc.property(
        id,
        fc.integer({ min: 2, max: 8 }),
        fc.uniqueArray(id, { minLength: 1, maxLength: 200 }),
        (self, k, everybody) => {
          const others = everybody.filter((value) => value !== self);
          const table = new RoutingTable({ self: byteId(self), k });
          // As lookups of its own id make it: the nearest first, so no place is taken by anybody farther.
          for (const value of nearestFirst(others, self)) table.insert(contact(value), 0);
          const { contacts, depth } = table.neighbourhood();
          const shared = (value: number) => Math.clz32(value ^ self) - 24;
          const known = contacts.map(byteOf);
          const inBucket = (bucket: number) => others.filter((value) => shared(value) === bucket);
          for (let bucket = depth; bucket < 8; bucket++) {
            const truth = inBucket(bucket);
            if (truth.length < k) expect(known).toEqual(expect.arrayContaining(truth));
          }
          // More than 3 K in a bucket of 256 ids is the one case in which some are missed.
          const isCrowded = others.some((value) => inBucket(shared(value)).length > 3 * k);
          // All that matters: of every key for which this node is one of the K closest, it knows the others, or does not claim the key.
          for (let key = 0; key < 256; key++) {
            if (shared(key) < depth || isCrowded) continue;
            const closest = nearestFirst([...others, self], key).slice(0, k);
            if (closest.includes(self)) expect([...known, self]).toEqual(expect.arrayContaining(closest));
          }
        },
      ),
    );
  });

  it('finds the closest as brute force over everybody does', () => {
    fc.assert(
      fc.property(
        id,
        id,
        fc.integer({ min: 0, max: 40 }),
        fc.array(operation, { maxLength: 80 }),
        (self, target, count, operations) => {
          const table = new RoutingTable({ self: byteId(self), k: 8 });
          apply(table, operations);
          const entries = [...table.entries()];
          const trusted = entries.filter((entry) => entry.failures < 2);
          const candidates = (trusted.length > 0 ? trusted : entries).map((entry) => byteOf(entry.contact));
          expect(table.closest(byteId(target), count).map(byteOf)).toEqual(
            nearestFirst(candidates, target).slice(0, count),
          );
          const nearer = trusted.filter((entry) => (byteOf(entry.contact) ^ target) < (self ^ target));
          expect(table.countNearer(byteId(target))).toBe(nearer.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('says so when its neighbourhood may be another, and knows it as if it had just looked', () => {
    const k = 4;
    const searched = fc.tuple(fc.constant('searched' as const), id);
    const operationOrSearch = fc.oneof({ weight: 3, arbitrary: operation }, searched);
    fc.assert(
      fc.property(fc.array(operationOrSearch, { minLength: 20, maxLength: 120 }), (operations) => {
        const self = byteId(0);
        const table = new RoutingTable({ self, k });
        let before = { revision: table.revision, neighbourhood: neighbourhoodOf(table) };
        for (let count = 1; count <= operations.length; count++) {
          apply(table, operations.slice(count - 1, count));
          const neighbourhood = neighbourhoodOf(table);
          const fresh = new RoutingTable({ self, k });
          apply(fresh, operations.slice(0, count));
          expect(neighbourhood).toEqual(neighbourhoodOf(fresh));
          if (table.revision === before.revision) expect(neighbourhood).toEqual(before.neighbourhood);
          before = { revision: table.revision, neighbourhood };
        }
      }),
      { numRuns: 40 },
    );
  });
});
