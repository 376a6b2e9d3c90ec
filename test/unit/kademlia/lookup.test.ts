import { describe, expect, it } from 'vitest';
import { Lookup, type LookupInit } from '../../../src/kademlia/index.ts';
import { byteId, byteOf, contact } from './byte-ids.ts';

const TARGET = 0b0000_0000;
const SELF = 0b1111_1111;

function lookupOf(seeds: readonly number[], init: Partial<LookupInit> = {}): Lookup {
  const defaults = { target: byteId(TARGET), self: byteId(SELF), k: 3, alpha: 2 };
  return new Lookup(
    { ...defaults, ...init },
    seeds.map((seed) => contact(seed)),
  );
}

/** Everybody it wants to ask now, and what it said then. */
function advance(lookup: Lookup): { asked: number[]; outcome: 'wait' | 'done' } {
  const asked: number[] = [];
  for (;;) {
    const step = lookup.next();
    if (step.kind !== 'query') return { asked, outcome: step.kind };
    asked.push(byteOf(step.contact));
  }
}

const answer = (lookup: Lookup, from: number, closer: readonly number[] = []) =>
  lookup.onSuccess(
    byteId(from),
    closer.map((value) => contact(value)),
  );

describe('Lookup', () => {
  it('is done at once when nobody is known', () => {
    const lookup = lookupOf([]);
    expect(lookup.next()).toEqual({ kind: 'done' });
    expect(lookup).toMatchObject({ closest: [], hops: 0, requests: 0, isComplete: true });
  });

  it('asks the nearest first, alpha at a time', () => {
    const lookup = lookupOf([0b0100_0000, 0b0000_0100, 0b0001_0000]);
    expect(advance(lookup)).toEqual({ asked: [0b0000_0100, 0b0001_0000], outcome: 'wait' });
  });

  it('asks all of the K closest at once when the nearest brought nobody nearer', () => {
    const lookup = lookupOf([0b0100_0000, 0b0000_0100, 0b0001_0000, 0b0010_0000], { k: 4, alpha: 1 });
    expect(advance(lookup).asked).toEqual([0b0000_0100]);
    answer(lookup, 0b0000_0100);
    expect(advance(lookup).asked).toEqual([0b0001_0000, 0b0010_0000, 0b0100_0000]);
  });

  it('goes on with alpha while answers bring nearer contacts', () => {
    const lookup = lookupOf([0b1000_0000], { alpha: 1 });
    advance(lookup);
    answer(lookup, 0b1000_0000, [0b0100_0000, 0b0010_0000, 0b0110_0000]);
    expect(advance(lookup).asked).toEqual([0b0010_0000]);
    answer(lookup, 0b0010_0000, [0b0000_0001]);
    expect(advance(lookup).asked).toEqual([0b0000_0001]);
  });

  it('asks everybody at once while fewer than K are known', () => {
    const lookup = lookupOf([0b0100_0000, 0b0000_0100], { k: 3, alpha: 1 });
    expect(advance(lookup).asked).toEqual([0b0000_0100, 0b0100_0000]);
  });

  describe('with an idea of how near the K closest should be', () => {
    it('asks whoever is so near at once, when somebody has answered', () => {
      // Three in a quarter of the id space.
      const lookup = lookupOf([0b0010_0000, 0b0011_0000, 0b1110_0000], { alpha: 1, kWithin: 0.25 });
      expect(advance(lookup).asked).toEqual([0b0010_0000]);
      answer(lookup, 0b0010_0000, [0b0000_0001, 0b0001_0000]);
      expect(advance(lookup).asked).toEqual([0b0000_0001, 0b0001_0000]);
    });

    it('goes on with alpha while everybody is too far to be one of them', () => {
      const lookup = lookupOf([0b1000_0000, 0b1100_0000, 0b1110_0000], { alpha: 1, kWithin: 0.25 });
      expect(advance(lookup).asked).toEqual([0b1000_0000]);
      answer(lookup, 0b1000_0000, [0b0100_0001, 0b0101_0000, 0b0111_0000]);
      expect(advance(lookup).asked).toEqual([0b0100_0001]);
    });
  });

  it('ends when the K closest have answered, and counts the hops to the nearest', () => {
    const lookup = lookupOf([0b1000_0000], { k: 2 });
    advance(lookup);
    answer(lookup, 0b1000_0000, [0b0000_0010, 0b0000_0001]);
    expect(advance(lookup)).toEqual({ asked: [0b0000_0001, 0b0000_0010], outcome: 'wait' });
    answer(lookup, 0b0000_0010);
    expect(lookup.next()).toEqual({ kind: 'wait' });
    answer(lookup, 0b0000_0001);
    expect(lookup.next()).toEqual({ kind: 'done' });
    expect(lookup.closest.map(byteOf)).toEqual([0b0000_0001, 0b0000_0010]);
    expect(lookup).toMatchObject({ hops: 2, requests: 3, isComplete: true });
  });

  it('does not wait for a contact that is no longer among the K closest', () => {
    const lookup = lookupOf([0b1000_0000, 0b0100_0000], { k: 1 });
    advance(lookup);
    expect(lookup.requests).toBe(1);
    answer(lookup, 0b0100_0000, [0b0000_0001]);
    advance(lookup);
    answer(lookup, 0b0000_0001);
    expect(lookup.next()).toEqual({ kind: 'done' });
  });

  it('asks somebody else in the stead of who failed', () => {
    const lookup = lookupOf([1, 2, 3, 4], { k: 2 });
    expect(advance(lookup).asked).toEqual([1, 2]);
    lookup.onFailure(byteId(1));
    expect(advance(lookup).asked).toEqual([3]);
    answer(lookup, 2);
    answer(lookup, 3);
    expect(lookup.next()).toEqual({ kind: 'done' });
    expect(lookup.closest.map(byteOf)).toEqual([2, 3]);
  });

  describe('with a silent contact', () => {
    it('gives its slot to the next, and waits for it no more once K others answered and it is overdue', () => {
      const lookup = lookupOf([1, 2, 3], { k: 2, alpha: 1 });
      expect(advance(lookup).asked).toEqual([1]);
      lookup.onSlow(byteId(1));
      expect(advance(lookup).asked).toEqual([2]);
      answer(lookup, 2);
      expect(advance(lookup).asked).toEqual([3]);
      answer(lookup, 3);
      expect(lookup.next()).toEqual({ kind: 'wait' });
      lookup.onOverdue(byteId(1));
      expect(lookup.next()).toEqual({ kind: 'done' });
      expect(lookup.closest.map(byteOf)).toEqual([2, 3]);
      expect(lookup.isComplete).toBe(false);
    });

    it('takes a late answer', () => {
      const lookup = lookupOf([1, 2, 3], { k: 2, alpha: 1 });
      advance(lookup);
      lookup.onSlow(byteId(1));
      advance(lookup);
      answer(lookup, 1);
      answer(lookup, 2);
      expect(lookup.next()).toEqual({ kind: 'done' });
      expect(lookup.closest.map(byteOf)).toEqual([1, 2]);
      expect(lookup.isComplete).toBe(true);
    });

    it('takes an answer that comes after it was given up', () => {
      const lookup = lookupOf([1, 2], { k: 2 });
      advance(lookup);
      lookup.onFailure(byteId(1));
      answer(lookup, 1);
      answer(lookup, 2);
      expect(lookup.closest.map(byteOf)).toEqual([1, 2]);
    });

    it('waits for it when there is nobody else', () => {
      const lookup = lookupOf([1, 2], { k: 3 });
      advance(lookup);
      lookup.onSlow(byteId(1));
      answer(lookup, 2);
      expect(lookup.next()).toEqual({ kind: 'wait' });
      lookup.onFailure(byteId(1));
      expect(lookup.next()).toEqual({ kind: 'done' });
      expect(lookup.closest.map(byteOf)).toEqual([2]);
    });
  });

  describe('half-way', () => {
    const standingOf = (lookup: Lookup, isMember = (_value: number) => true) => {
      const standing = lookup.standing((member) => isMember(byteOf(member)));
      if (standing === undefined) return undefined;
      const { answered, pending, silent } = standing;
      return { answered: answered.map(byteOf), pending: pending.map(byteOf), silent: silent.map(byteOf) };
    };

    it('tells who of the K closest answered, who may yet and who is overdue or was given up', () => {
      const lookup = lookupOf([1, 2, 3, 4, 5, 6], { k: 5, alpha: 5 });
      expect(advance(lookup).asked).toEqual([1, 2, 3, 4, 5]);
      lookup.onSlow(byteId(1));
      lookup.onFailure(byteId(3));
      answer(lookup, 4);
      expect(standingOf(lookup)).toEqual({ answered: [4], pending: [1, 2, 5], silent: [3] });
      lookup.onOverdue(byteId(1));
      expect(standingOf(lookup)).toEqual({ answered: [4], pending: [2, 5], silent: [1, 3] });
      answer(lookup, 1);
      expect(standingOf(lookup)).toEqual({ answered: [1, 4], pending: [2, 5], silent: [3] });
    });

    it('counts those nobody counts on any more for nothing', () => {
      const lookup = lookupOf([1, 2, 3, 4], { k: 3, alpha: 3 });
      advance(lookup);
      lookup.onFailure(byteId(1));
      answer(lookup, 2);
      expect(standingOf(lookup, (value) => value !== 1 && value !== 3)).toEqual({
        answered: [2],
        pending: [4],
        silent: [],
      });
    });

    it('cannot tell while somebody that only one other named is among them, until that one is overdue', () => {
      const lookup = lookupOf([2, 3, 4], { k: 3, alpha: 3 });
      advance(lookup);
      answer(lookup, 2, [1]);
      expect(advance(lookup).asked).toEqual([1]);
      expect(standingOf(lookup)).toBeUndefined();
      lookup.onSlow(byteId(1));
      expect(standingOf(lookup)).toBeUndefined();
      lookup.onOverdue(byteId(1));
      expect(standingOf(lookup)).toEqual({ answered: [2], pending: [3, 4], silent: [] });
      answer(lookup, 3, [1]);
      expect(standingOf(lookup)).toEqual({ answered: [2, 3], pending: [], silent: [1] });
    });
  });

  it('hears who keeps no records, but does not count it', () => {
    const lookup = lookupOf([1], { k: 1 });
    advance(lookup);
    lookup.onSuccess(byteId(1), [contact(2)], false);
    expect(advance(lookup).asked).toEqual([2]);
    answer(lookup, 2);
    expect(lookup.next()).toEqual({ kind: 'done' });
    expect(lookup.closest.map(byteOf)).toEqual([2]);
  });

  it('finds the farthest node of a network smaller than K', () => {
    const lookup = lookupOf([0b0000_0001], { k: 3 });
    advance(lookup);
    answer(lookup, 0b0000_0001, [0b1000_0000]);
    expect(advance(lookup).asked).toEqual([0b1000_0000]);
  });

  describe('among liars', () => {
    it('takes at most K of an answer of ten thousand', () => {
      const lookup = lookupOf([0b1000_0000], { k: 2, alpha: 1 });
      advance(lookup);
      const many = Array.from({ length: 10_000 }, (_, i) => (i % 127) + 1);
      answer(lookup, 0b1000_0000, many);
      const asked: number[] = [];
      for (let { asked: now } = advance(lookup); now.length > 0; now = advance(lookup).asked) {
        asked.push(...now);
        for (const value of now) lookup.onFailure(byteId(value));
      }
      expect(asked).toEqual([1, 2]);
    });

    it('ignores itself, the asked peer and who is known already in an answer', () => {
      const lookup = lookupOf([1, 2], { k: 4 });
      expect(advance(lookup).asked).toEqual([1, 2]);
      answer(lookup, 1, [SELF, 1, 2, 3]);
      expect(advance(lookup).asked).toEqual([3]);
    });

    it('does not take who would not be among the K closest', () => {
      const lookup = lookupOf([1, 2, 3], { k: 3 });
      advance(lookup);
      answer(lookup, 1, [0b1000_0000]);
      answer(lookup, 2, [0b0100_0000]);
      advance(lookup);
      answer(lookup, 3, [0b0010_0000]);
      expect(lookup.next()).toEqual({ kind: 'done' });
      expect(lookup.requests).toBe(3);
    });

    it('stops after its requests are used up, and says that it is not complete', () => {
      const lookup = lookupOf([200, 201, 202], { k: 3, alpha: 1, maxRequests: 5 });
      let invented = 199;
      for (let { asked } = advance(lookup); asked.length > 0; asked = advance(lookup).asked) {
        for (const value of asked) {
          answer(lookup, value, [invented, invented - 1]);
          invented -= 2;
        }
      }
      expect(lookup.requests).toBe(5);
      expect(lookup.isComplete).toBe(false);
    });

    it('takes an answer from nobody who was not asked for a bug of the caller', () => {
      expect(() => answer(lookupOf([1]), 2)).toThrow('only who was asked answers');
    });
  });
});
