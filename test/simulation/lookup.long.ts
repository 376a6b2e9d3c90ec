/** Lookups at every size and over more seeds than every run has time for, against brute force over all ids. */
import { describe, expect, it } from 'vitest';
import { measureLookups, percentile, World } from '../../testnet/simulator/index.ts';
import { recordFigure } from '../support/figures.ts';

describe('lookups', () => {
  it.each([
    [100, [1, 2, 3]],
    [300, [1, 2, 3]],
    [1_000, [1, 2, 3]],
  ])('of %i nodes find the true 20 closest in at most 5 hops', async (nodes, seeds) => {
    const lookups = [];
    for (const seed of seeds) {
      const world = await World.create({ seed, nodes });
      lookups.push(...(await measureLookups(world, { count: 500 })));
    }
    const overlap = lookups.reduce((sum, lookup) => sum + lookup.overlap, 0) / lookups.length;
    const hops = lookups.map((lookup) => lookup.hops);
    const requests = lookups.map((lookup) => lookup.requests);
    recordFigure(
      `lookups, ${nodes} simulated nodes, ${seeds.length} seeds × 500 keys`,
      `overlap ${overlap.toFixed(4)}, hops p95 ${percentile(hops, 0.95)}, requests p50 ${percentile(requests, 0.5)} p95 ${percentile(requests, 0.95)}`,
    );
    expect(overlap).toBeGreaterThanOrEqual(0.99);
    expect(percentile(hops, 0.95)).toBeLessThanOrEqual(5);
  });
});
