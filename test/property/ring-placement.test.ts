/** Where keys lie, counted: the oracle is the definition of a fair share, not the code under test. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HashRing, type RingMember } from '../../src/registry/ring/hash-ring.ts';

const KEYS = 100_000;

/** Key ids as records have them: hashes. The same in every run. */
const GROUPS = Array.from({ length: KEYS }, (_, n) =>
  createHash('sha256').update(`key ${n}`).digest().toString('latin1'),
);

const named = (count: number, prefix = 'redis://store') =>
  Array.from({ length: count }, (_, n): RingMember => ({ name: `${prefix}-${n}:6379/0`, weight: 1 }));

function placed(ring: HashRing): readonly (readonly string[])[] {
  return GROUPS.map((group) => ring.homes(ring.virtualNode(group)));
}

function loads(members: readonly RingMember[], copies = 1): ReadonlyMap<string, number> {
  const counts = new Map(members.map(({ name }) => [name, 0]));
  for (const homes of placed(new HashRing(members, copies))) {
    for (const home of homes) counts.set(home, counts.get(home)! + 1);
  }
  return counts;
}

describe('a ring of equal shards', () => {
  test.each([2, 3, 8, 64])('loads none of %i with more than 1.10 times its share of 100,000 keys', (count) => {
    const most = Math.max(...loads(named(count)).values());
    expect(most / (KEYS / count)).toBeLessThanOrEqual(1.1);
  });

  test.each([8, 64])(
    'gives one that joins %i no more than 1.1 times its fair share, and moves nothing else',
    (count) => {
      const members = named(count + 1);
      const [before, after] = [placed(new HashRing(members.slice(0, count), 1)), placed(new HashRing(members, 1))];
      const newcomer = members[count]!.name;
      const moved = GROUPS.flatMap((_, n) => (before[n]![0] === after[n]![0] ? [] : [after[n]![0]!]));
      expect(moved.every((home) => home === newcomer)).toBe(true);
      expect(moved.length / (KEYS / (count + 1))).toBeLessThanOrEqual(1.1);
      expect(moved.length / (KEYS / (count + 1))).toBeGreaterThanOrEqual(0.9);
    },
  );
});

test('shards get keys in proportion to their weights', () => {
  const members = [1, 2, 5].map((weight, n) => ({ name: `shard ${n}`, weight }));
  const counts = loads(members);
  for (const { name, weight } of members) expect(counts.get(name)! / KEYS / (weight / 8)).toBeCloseTo(1, 1);
  const ring = new HashRing(members, 1);
  for (const { name, weight } of members) expect(ring.share(name)).toBeCloseTo(weight / 8, 1);
});

test('a shard without weight keeps nothing', () => {
  const members = [...named(2), { name: 'drained', weight: 0 }];
  expect(loads(members).get('drained')).toBe(0);
  expect(new HashRing(members, 1).share('drained')).toBe(0);
});

test('two copies are on two shards, and evenly', () => {
  const members = named(5);
  expect(placed(new HashRing(members, 2)).every(([first, second]) => first !== second)).toBe(true);
  const most = Math.max(...loads(members, 2).values());
  expect(most / ((2 * KEYS) / 5)).toBeLessThanOrEqual(1.1);
});

test('of one shard there is one copy, however many are wanted', () => {
  expect(new HashRing(named(1), 2).homes(0)).toEqual([named(1)[0]!.name]);
});

test('whatever the members and their order: the same homes, first in the order of preference, and a change of one moves only its own', () => {
  const member = fc.record({
    name: fc.string({ minLength: 1, maxLength: 12 }),
    weight: fc.integer({ min: 1, max: 9 }),
  });
  const members = fc.uniqueArray(member, { selector: ({ name }) => name, minLength: 2, maxLength: 9 });
  fc.assert(
    fc.property(members, fc.integer({ min: 1, max: 2 }), fc.nat({ max: KEYS - 1 }), (given, copies, n) => {
      const ring = new HashRing(given, copies);
      const node = ring.virtualNode(GROUPS[n]!);
      const homes = ring.homes(node);
      expect(new HashRing(given.toReversed(), copies).homes(node)).toEqual(homes);
      expect(ring.preference(node).slice(0, ring.copies)).toEqual(homes);
      expect([...ring.preference(node)].sort()).toEqual(given.map(({ name }) => name).sort());
      const without = new HashRing(given.slice(1), copies);
      const gone = given[0]!.name;
      if (!homes.includes(gone)) expect(without.homes(node)).toEqual(homes.slice(0, without.copies));
      else for (const home of homes) expect(home === gone || without.homes(node).includes(home)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
