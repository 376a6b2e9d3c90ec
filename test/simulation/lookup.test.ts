import { describe, expect, it } from 'vitest';
import {
  type MeasuredLookup,
  measureLookups,
  percentile,
  uniformLatency,
  World,
} from '../../testnet/simulator/index.ts';

const meanOverlap = (lookups: readonly MeasuredLookup[]) =>
  lookups.reduce((sum, { overlap }) => sum + overlap, 0) / lookups.length;

/** A lookup asks no more than a small multiple of K: each answer names at most K, and only closer ones are worth asking. */
const MAX_REQUESTS = 200;

describe('a lookup in a simulated network', () => {
  it('finds the true 20 closest of 1,000 nodes in at most 5 hops (500 random keys against brute force)', async () => {
    const world = await World.create({ seed: 7, nodes: 1000 });
    const lookups = await measureLookups(world, { count: 500 });
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.99);
    expect(
      percentile(
        lookups.map(({ hops }) => hops),
        0.95,
      ),
    ).toBeLessThanOrEqual(5);
    expect(Math.max(...lookups.map(({ requests }) => requests))).toBeLessThanOrEqual(MAX_REQUESTS);
    expect([...world.misbehaviour]).toEqual([]);
  });

  it.each([1, 2, 3])('finds every node of a network of %i', async (nodes) => {
    const world = await World.create({ seed: `small ${nodes}`, nodes });
    const lookups = await measureLookups(world, { count: 20 });
    expect(lookups.map(({ overlap }) => overlap)).toEqual(lookups.map(() => 1));
    expect(Math.max(...lookups.map(({ requests }) => requests))).toBeLessThanOrEqual(nodes - 1);
  });

  it('stays right when 5 % of the frames are lost', async () => {
    const world = await World.create({ seed: 'loss', nodes: 150 });
    world.network.conditions.lossRate = 0.05;
    const lookups = await measureLookups(world, { count: 100 });
    expect(world.network.traffic.dropped.lost).toBeGreaterThan(50);
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.95);
  });

  it('stays right while frames come twice and out of order', async () => {
    const world = await World.create({ seed: 'twice', nodes: 100 });
    world.network.conditions.duplicationRate = 0.3;
    world.network.conditions.latency = uniformLatency(1, 300);
    const lookups = await measureLookups(world, { count: 60 });
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.99);
    expect([...world.misbehaviour]).toEqual([]);
  });

  it('finds the living right after 30 % of the nodes were killed', async () => {
    const world = await World.create({ seed: 'killed', nodes: 200 });
    for (const node of world.random.fork('victims').sample(world.nodes, 60)) node.kill();
    const lookups = await measureLookups(world, { count: 60 });
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.99);
  });

  it('finds the running right after 30 % of the nodes hung', async () => {
    const world = await World.create({ seed: 'hung', nodes: 200 });
    const hung = new Set(world.random.fork('victims').sample(world.nodes, 60));
    for (const node of hung) node.pause();
    const lookups = await measureLookups(world, { count: 60 });
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.99);
  });

  it('sees its own side of a partition, and the whole again after it healed', async () => {
    const world = await World.create({ seed: 'partition', nodes: 60 });
    const numbers = world.nodes.map(({ number }) => number);
    world.network.partition([numbers.slice(0, 30), numbers.slice(30)]);
    const apart = await measureLookups(world, { count: 30, reachable: (from, to) => from < 30 === to < 30 });
    expect(meanOverlap(apart)).toBeGreaterThanOrEqual(0.99);
    world.network.heal();
    // Two refresh periods.
    await world.run(2 * 600_000);
    expect(meanOverlap(await measureLookups(world, { count: 30 }))).toBeGreaterThanOrEqual(0.99);
  });

  it('takes nobody into tables who does not serve', async () => {
    const world = await World.create({ seed: 'modes', nodes: 40, modeOf: (n) => (n % 4 === 1 ? 'client' : 'server') });
    const lookups = await measureLookups(world, { count: 40 });
    expect(meanOverlap(lookups)).toBe(1);
  });
});
