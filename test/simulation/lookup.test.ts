import { describe, expect, it } from 'vitest';
import { compareDistance } from '../../src/kademlia/index.ts';
import {
  constantLatency,
  type MeasuredLookup,
  measureLookups,
  uniformLatency,
  World,
} from '../../testnet/simulator/index.ts';

const meanOverlap = (lookups: readonly MeasuredLookup[]) =>
  lookups.reduce((sum, { overlap }) => sum + overlap, 0) / lookups.length;

/** What holds whatever goes wrong: it ended, asked few, and returned nobody twice, nobody who cannot answer, nearest first. */
function expectSound(world: World, lookups: readonly MeasuredLookup[]): void {
  const running = new Set(world.running.map(({ self }) => self.id.hex));
  for (const { target, found, requests } of lookups) {
    expect(requests).toBeLessThanOrEqual(4 * world.constants.k);
    expect(found.filter(({ hex }) => !running.has(hex))).toEqual([]);
    expect(new Set(found.map(({ hex }) => hex)).size).toBe(found.length);
    expect([...found].sort((a, b) => compareDistance(target, a, b))).toEqual(found);
  }
  expect([...world.misbehaviour]).toEqual([]);
}

/** A period and its jitter. */
const REFRESH_MS = 660_000;

describe('a lookup in a simulated network', () => {
  it.each([1, 2, 3])('finds every node of a network of %i', async (nodes) => {
    const world = await World.create({ seed: `small ${nodes}`, nodes });
    const lookups = await measureLookups(world, { count: 20 });
    expectSound(world, lookups);
    expect(lookups.map(({ overlap }) => overlap)).toEqual(lookups.map(() => 1));
    expect(Math.max(...lookups.map(({ requests }) => requests))).toBeLessThanOrEqual(nodes - 1);
  });

  it('returns no clients, and serves them', async () => {
    const world = await World.create({ seed: 'modes', nodes: 40, modeOf: (n) => (n % 4 === 1 ? 'client' : 'server') });
    const lookups = await measureLookups(world, { count: 40 });
    expectSound(world, lookups);
    expect(meanOverlap(lookups)).toBe(1);
  });

  it('stays right while frames come twice and out of order', async () => {
    const conditions = { duplicationRate: 0.3, latency: uniformLatency(1, 150) };
    const world = await World.create({ seed: 'twice', nodes: 80, conditions });
    const lookups = await measureLookups(world, { count: 60 });
    expectSound(world, lookups);
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.99);
    // Who takes longer than a lookup waits is left out, and the lookup says so.
    expect(lookups.filter(({ complete, overlap }) => complete && overlap < 1)).toEqual([]);
  });

  it.each(['slow 1', 'slow 2'])('waits for strangers where every way is long: %s', async (seed) => {
    const world = await World.create({ seed, nodes: 100, conditions: { latency: uniformLatency(1, 150) } });
    const lookups = await measureLookups(world, { count: 60 });
    expectSound(world, lookups);
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.99);
    expect(world.events.get('request-failed') ?? 0).toBe(0);
  });

  it.each(['jump 1', 'jump 2'])('gets over a jump from 20 to 300 ms one way: %s', async (seed) => {
    const world = await World.create({ seed, nodes: 100 });
    await measureLookups(world, { count: 20 });
    world.network.conditions.latency = constantLatency(300);
    const lookups = await measureLookups(world, { count: 60 });
    expectSound(world, lookups);
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.98);
    // Nobody is taken for silent, so nobody is passed over later.
    expect(world.events.get('request-failed') ?? 0).toBeLessThanOrEqual(10);
  });

  it('misses no more than those it could not hear when 5 % of the frames are lost', async () => {
    const world = await World.create({ seed: 'loss', nodes: 100 });
    world.network.conditions.lossRate = 0.05;
    const lookups = await measureLookups(world, { count: 60 });
    expectSound(world, lookups);
    expect(world.network.traffic.dropped.lost).toBeGreaterThan(50);
    // A request and its answer both get through in 90 % of cases, in 81 % when it must be dialled first; nobody is asked again while suspected.
    // Over six seeds the mean is 0.85.
    expect(meanOverlap(lookups)).toBeGreaterThanOrEqual(0.81);
  });

  it.each([
    ['killed', 0.99],
    ['hung', 0.94],
  ] as const)('finds the living right after three in ten nodes were %s', async (fate, leastOverlap) => {
    const all: MeasuredLookup[] = [];
    for (const seed of ['one', 'another', 'a third']) {
      const world = await World.create({ seed: `${fate} ${seed}`, nodes: 120 });
      for (const node of world.random.fork('victims').sample(world.nodes, 36)) {
        if (fate === 'killed') node.kill();
        else node.pause();
      }
      const lookups = await measureLookups(world, { count: 40 });
      expectSound(world, lookups);
      all.push(...lookups);
    }
    // Broken connections are noticed; who hangs is still named among the K closest, so the last of the living K may be named by nobody: over eight
    // seeds 0.93 to 0.97, 0.958 in the mean.
    expect(meanOverlap(all)).toBeGreaterThanOrEqual(leastOverlap);
  });

  it('sees its own side of a partition, and the whole again two refresh periods after it healed', async () => {
    const world = await World.create({ seed: 'partition', nodes: 40 });
    const numbers = world.nodes.map(({ number }) => number);
    world.network.partition([numbers.slice(0, 20), numbers.slice(20)]);
    const apart = await measureLookups(world, { count: 30, reachable: (from, to) => from < 20 === to < 20 });
    expectSound(world, apart);
    expect(meanOverlap(apart)).toBeGreaterThanOrEqual(0.95);
    await world.run(REFRESH_MS);
    world.network.heal();
    await world.run(2 * REFRESH_MS);
    const whole = await measureLookups(world, { count: 30 });
    expectSound(world, whole);
    expect(meanOverlap(whole)).toBeGreaterThanOrEqual(0.99);
  });
});
