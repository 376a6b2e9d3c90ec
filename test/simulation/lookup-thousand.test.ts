import { expect, it } from 'vitest';
import { measureLookups, percentile, World } from '../../testnet/simulator/index.ts';

it('finds the true 20 closest of 1,000 nodes in at most 5 hops (500 random keys against brute force)', async () => {
  const world = await World.create({ seed: 7, nodes: 1000, storing: false });
  const lookups = await measureLookups(world, { count: 500 });
  const overlap = lookups.reduce((sum, lookup) => sum + lookup.overlap, 0) / lookups.length;
  expect(overlap).toBeGreaterThanOrEqual(0.99);
  expect(
    percentile(
      lookups.map(({ hops }) => hops),
      0.95,
    ),
  ).toBeLessThanOrEqual(5);
  expect(Math.max(...lookups.map(({ requests }) => requests))).toBeLessThanOrEqual(4 * world.constants.k);
  expect([...world.misbehaviour]).toEqual([]);
}, 600_000);
