import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeId } from '../../../src/kademlia/index.ts';
import { cellRange, compareBytes, rangeContains } from '../../../src/records/index.ts';
import { findRegion, type Region, regionsOf } from '../../../src/replication/regions.ts';

/** Ids and keys are whole, but of their 256 bits only the first ten differ: every key there is can be asked. */
const BITS = 10;
const SPACE = 2 ** BITS;

function bytesOf(value: number): Uint8Array {
  const bytes = new Uint8Array(32).fill(0x5a);
  bytes[0] = value >> 2;
  bytes[1] = (value & 3) << 6;
  return bytes;
}

const keys = Array.from({ length: SPACE }, (_, key) => key);
const nodeIds = Array.from({ length: SPACE }, (_, value) => NodeId.fromBytes(bytesOf(value)));
const keyOf = ({ bytes }: NodeId) => (bytes[0]! << 2) | (bytes[1]! >> 6);

interface Case {
  readonly self: number;
  readonly others: readonly number[];
  readonly k: number;
  readonly depth: number;
}

const anywhere = fc.nat({ max: SPACE - 1 });
/** Many that begin alike, as where somebody chose his neighbours. */
const clustered = fc.tuple(anywhere, fc.integer({ min: 1, max: 6 })).chain(([centre, bits]) => {
  const near = fc.nat({ max: 2 ** bits - 1 }).map((low) => ((centre >> bits) << bits) | low);
  return fc.uniqueArray(fc.oneof({ weight: 4, arbitrary: near }, anywhere), { minLength: 1, maxLength: 40 });
});
const spread = fc.uniqueArray(anywhere, { minLength: 1, maxLength: 60 });

const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.oneof(spread, clustered), fc.constantFrom(1, 2, 3, 4, 5, 6, 20), fc.constantFrom(0, 0, 0, 1, 2, 4))
  .map(([[self, ...rest], k, depth]) => ({
    self: self!,
    others: rest.filter((value) => value >> (BITS - depth) === self! >> (BITS - depth)),
    k,
    depth,
  }));

function regionsIn({ self, others, k, depth }: Case, maxSplits: number): Region[] {
  return regionsOf({ self: nodeIds[self]!, others: others.map((value) => nodeIds[value]!), k, depth, maxSplits });
}

/** The k nearest to a key, ascending by id, by sorting everybody; nobody where the key is not within `depth` bits of self. */
function holdersOf(key: number, { self, others, k, depth }: Case): number[] {
  if (key >> (BITS - depth) !== self >> (BITS - depth)) return [];
  const nearest = [self, ...others].sort((a, b) => (a ^ key) - (b ^ key)).slice(0, k);
  return nearest.sort((a, b) => a - b);
}

function expectAscendingAndDisjoint(regions: readonly Region[]): void {
  for (let i = 1; i < regions.length; i++) {
    const [before, after] = [regions[i - 1]!.range, regions[i]!.range];
    expect(compareBytes(before.prefix, after.prefix)).toBeLessThan(0);
    expect(rangeContains(before, after.prefix)).toBe(false);
    expect(after).toEqual(cellRange(after.prefix, after.bits));
  }
}

function expectMaximal(regions: readonly Region[], depth: number): void {
  const membersByRange = new Map(
    regions.map(({ range, members }) => [`${range.bits}:${range.prefix.join()}`, members.map(keyOf).join()]),
  );
  for (const { range, members } of regions) {
    expect(range.bits).toBeGreaterThanOrEqual(depth);
    if (range.bits <= depth) continue;
    const sibling = range.prefix.slice();
    sibling[(range.bits - 1) >> 3]! ^= 0x80 >> ((range.bits - 1) & 7);
    expect(membersByRange.get(`${range.bits}:${sibling.join()}`)).not.toBe(members.map(keyOf).join());
  }
}

describe('regions', () => {
  it('name exactly the nearest of every key, and only keys that self is near to', () => {
    fc.assert(
      fc.property(cases, (it) => {
        const regions = regionsIn(it, 256);
        expectAscendingAndDisjoint(regions);
        expectMaximal(regions, it.depth);
        const named = keys.map((key) => findRegion(regions, bytesOf(key))?.members.map(keyOf));
        const nearest = keys.map((key) => holdersOf(key, it));
        expect(named).toEqual(nearest.map((holders) => (holders.includes(it.self) ? holders : undefined)));
      }),
      { numRuns: 60 },
    );
  });

  it('leave out nobody when they are cut less finely, and are few', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: 6 }), (it, maxSplits) => {
        const regions = regionsIn(it, maxSplits);
        expectAscendingAndDisjoint(regions);
        expectMaximal(regions, it.depth);
        expect(regions.length).toBeLessThanOrEqual(2 ** maxSplits);
        const possible = new Map<Region, Set<number>>();
        for (const key of keys) {
          const holders = holdersOf(key, it);
          const region = findRegion(regions, bytesOf(key));
          if (region === undefined) {
            expect(holders).not.toContain(it.self);
            continue;
          }
          const seen = possible.get(region) ?? new Set();
          for (const holder of holders) seen.add(holder);
          possible.set(region, seen);
        }
        for (const [region, holders] of possible) {
          expect(region.members.map(keyOf)).toEqual([...holders].sort((a, b) => a - b));
          expect(holders).toContain(it.self);
        }
      }),
      { numRuns: 60 },
    );
  });
});
