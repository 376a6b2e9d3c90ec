import { describe, expect, it } from 'vitest';
import { findRegion, type Region, type RegionsOptions, regionsOf } from '../../../src/replication/regions.ts';
import { byteId } from '../kademlia/byte-ids.ts';

/** Regions of 8-bit ids, as `prefix: members`. */
function regions(self: number, others: readonly number[], options: Partial<RegionsOptions> = {}): Region[] {
  return regionsOf({ self: byteId(self), others: others.map(byteId), k: 2, depth: 0, maxSplits: 8, ...options });
}

function drawn(list: readonly Region[]): string[] {
  return list.map(({ range, members }) => {
    const prefix = (range.prefix[0] ?? 0).toString(2).padStart(8, '0').slice(0, range.bits);
    return `${prefix}: ${members.map(({ bytes }) => bytes[0]!.toString(2).padStart(8, '0')).join(' ')}`;
  });
}

describe('regionsOf', () => {
  it('is everything with everybody while there are no more nodes than places', () => {
    expect(drawn(regions(0b0100_0000, [0b1100_0000]))).toEqual([': 01000000 11000000']);
    expect(drawn(regions(0b0100_0000, []))).toEqual([': 01000000']);
  });

  it('leaves out what is nearer to others', () => {
    expect(drawn(regions(0b0000_0000, [0b0100_0000, 0b1000_0000, 0b1100_0000]))).toEqual(['0: 00000000 01000000']);
  });

  it('cuts the far half where the place that is left there goes from one to the other', () => {
    expect(drawn(regions(0b0000_0000, [0b1000_0000, 0b1100_0000]))).toEqual([
      '00: 00000000 10000000',
      '01: 00000000 11000000',
    ]);
  });

  it('keeps to the part of the key space that begins like self', () => {
    const others = [0b1010_0000, 0b1011_0000, 0b1001_0000];
    expect(drawn(regions(0b1000_0000, others, { depth: 1 }))).toEqual([
      '100: 10000000 10010000',
      '110: 10000000 10010000',
    ]);
    expect(drawn(regions(0b1000_0000, [], { depth: 5 }))).toEqual(['10000: 10000000']);
  });

  it('does not care for the order in which nodes are named', () => {
    const others = [3, 200, 77, 130, 129, 9, 250];
    expect(regions(64, others)).toEqual(regions(64, others.toReversed()));
  });

  it('names too many holders rather than cutting without end', () => {
    // Which of the two is nearer to a key is decided by its last bit alone: each gets every second key of the lower half.
    const others = [0b1111_1110, 0b1111_1111];
    expect(regions(0b0000_0000, others, { maxSplits: 8 })).toHaveLength(128);
    expect(drawn(regions(0b0000_0000, others, { maxSplits: 7 }))).toEqual(['0: 00000000 11111110 11111111']);
  });

  it('names the same holders by the same array', () => {
    const members = regions(0b0000_0000, [0b1111_1110, 0b1111_1111]).map((region) => region.members);
    expect(new Set(members).size).toBe(2);
  });
});

describe('findRegion', () => {
  it('finds the region of a key, or that self does not hold it', () => {
    const list = regions(0b0000_0000, [0b1000_0000, 0b1100_0000]);
    expect(findRegion(list, Uint8Array.of(0b0011_1111))).toBe(list[0]);
    expect(findRegion(list, Uint8Array.of(0b0100_0000))).toBe(list[1]);
    expect(findRegion(list, Uint8Array.of(0b1000_0000))).toBeUndefined();
    expect(findRegion([], Uint8Array.of(0))).toBeUndefined();
  });
});
