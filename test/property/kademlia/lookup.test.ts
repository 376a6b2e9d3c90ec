/** Whole lookups in an 8-bit world: the network is a set of numbers, the oracle sorts all of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Contact, Lookup, RoutingTable } from '../../../src/kademlia/index.ts';
import { byteId, byteOf, contact, nearestFirst } from '../../unit/kademlia/byte-ids.ts';

type Fate = 'answers' | 'fails' | 'slow-then-answers' | 'slow-then-fails' | 'lies' | 'does-not-count';

interface World {
  readonly self: number;
  readonly target: number;
  readonly k: number;
  readonly alpha: number;
  readonly values: readonly number[];
  readonly fates: readonly Fate[];
  /** Which of the requests in flight is decided next. */
  readonly order: readonly number[];
}

const id = fc.integer({ min: 0, max: 255 });

const world = (fates: readonly Fate[]): fc.Arbitrary<World> =>
  fc
    .record({
      self: id,
      target: id,
      k: fc.integer({ min: 1, max: 6 }),
      alpha: fc.integer({ min: 1, max: 4 }),
      values: fc.uniqueArray(id, { minLength: 1, maxLength: 120 }),
      fates: fc.array(fc.constantFrom(...fates), { minLength: 256, maxLength: 256 }),
      order: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 64 }),
    })
    .map((made) => ({ ...made, values: made.values.filter((value) => value !== made.self) }));

/** A well-formed network: everybody's buckets hold K of those that belong there, and the neighbourhood is known. */
function tableOf(owner: number, { values, k }: World): RoutingTable {
  const table = new RoutingTable({ self: byteId(owner), k });
  for (const value of nearestFirst(values, owner)) table.insert(contact(value), 0);
  return table;
}

interface Run {
  readonly lookup: Lookup;
  readonly asked: readonly number[];
  readonly mostInFlight: number;
}

function run(made: World): Run {
  const { self, target, k, alpha, fates, order } = made;
  const closestOf = (owner: number): readonly Contact[] =>
    tableOf(owner, made).closest(byteId(target), k, byteId(self));
  const lookup = new Lookup({ target: byteId(target), self: byteId(self), k, alpha }, closestOf(self));
  const asked: number[] = [];
  const inFlight: { value: number; isSlow: boolean }[] = [];
  let mostInFlight = 0;
  for (let turn = 0; ; turn++) {
    if (turn > 5_000) throw new Error('the lookup does not end');
    const step = lookup.next();
    if (step.kind === 'done') return { lookup, asked, mostInFlight };
    if (step.kind === 'query') {
      asked.push(byteOf(step.contact));
      inFlight.push({ value: byteOf(step.contact), isSlow: false });
      mostInFlight = Math.max(mostInFlight, inFlight.filter((request) => !request.isSlow).length);
      continue;
    }
    expect(inFlight.length, 'waiting for nobody').toBeGreaterThan(0);
    const chosen = inFlight[order[turn % order.length]! % inFlight.length]!;
    const fate = fates[chosen.value]!;
    if (fate.startsWith('slow') && !chosen.isSlow) {
      chosen.isSlow = true;
      lookup.onSlow(byteId(chosen.value));
      continue;
    }
    inFlight.splice(inFlight.indexOf(chosen), 1);
    if (fate === 'fails' || fate === 'slow-then-fails') lookup.onFailure(byteId(chosen.value));
    else if (fate === 'lies') lookup.onSuccess(byteId(chosen.value), liesOf(made, chosen.value));
    else lookup.onSuccess(byteId(chosen.value), closestOf(chosen.value), fate !== 'does-not-count');
  }
}

/** Everybody there could be, the asker and the liar first. */
function liesOf({ self }: World, liar: number): Contact[] {
  return [self, liar, ...Array.from({ length: 256 }, (_, i) => (i * 37) % 256)].map((value) => contact(value));
}

describe('Lookup', () => {
  it('ends, never asks anybody twice or itself, and never more than allowed at a time, whatever the others do', () => {
    const fates: Fate[] = ['answers', 'fails', 'slow-then-answers', 'slow-then-fails', 'lies', 'does-not-count'];
    fc.assert(
      fc.property(world(fates), (made) => {
        const { lookup, asked, mostInFlight } = run(made);
        expect(new Set(asked).size).toBe(asked.length);
        expect(asked).not.toContain(made.self);
        expect(mostInFlight).toBeLessThanOrEqual(Math.max(made.k, made.alpha));
        expect(lookup.requests).toBe(asked.length);
        const found = lookup.closest.map(byteOf);
        expect(found).toEqual(nearestFirst(found, made.target).slice(0, made.k));
        const silent = (value: number) => made.fates[value] === 'fails' || made.fates[value] === 'slow-then-fails';
        for (const value of found) {
          expect(silent(value)).toBe(false);
          expect(made.fates[value]).not.toBe('does-not-count');
        }
      }),
      { numRuns: 400 },
    );
  });

  it('keeps to alpha until the nearest known contact has answered, where it knows K to choose from', () => {
    fc.assert(
      fc.property(world(['answers']), (made) => {
        const seeds = tableOf(made.self, made).closest(byteId(made.target), made.k);
        const { self, target, k, alpha } = made;
        const lookup = new Lookup({ target: byteId(target), self: byteId(self), k, alpha }, seeds);
        let asked = 0;
        while (lookup.next().kind === 'query') asked++;
        expect(asked).toBe(seeds.length < k ? seeds.length : Math.min(alpha, seeds.length));
      }),
    );
  });

  it('finds the true K closest in a well-formed network', () => {
    fc.assert(
      fc.property(world(['answers']), (made) => {
        const { lookup } = run(made);
        expect(lookup.closest.map(byteOf)).toEqual(nearestFirst(made.values, made.target).slice(0, made.k));
        expect(lookup.isComplete).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('finds the K closest of the living when the dead answer nothing', () => {
    fc.assert(
      fc.property(world(['answers', 'answers', 'answers', 'fails']), (made) => {
        const { lookup } = run(made);
        const isAlive = (value: number) => made.fates[value] === 'answers';
        const truth = nearestFirst(made.values.filter(isAlive), made.target).slice(0, made.k);
        const found = lookup.closest.map(byteOf);
        // Who is known only to the dead cannot be found; whoever was found is as near as can be.
        for (const value of found) expect(isAlive(value)).toBe(true);
        const known = new Set(tableOf(made.self, made).closest(byteId(made.target), made.k).map(byteOf));
        if (truth.every((value) => known.has(value))) expect(found).toEqual(truth);
      }),
      { numRuns: 400 },
    );
  });
});
