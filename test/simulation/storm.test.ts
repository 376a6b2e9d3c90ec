/** Many come at once and one cannot decide: no more records move than have to, and readers hardly notice. */
import { describe, expect, it } from 'vitest';
import { isNautilusError, sleep } from '../../src/core/index.ts';
import { NodeId, recordBytes } from '../../src/kademlia/index.ts';
import type { Key } from '../../src/records/index.ts';
import { type SimulatedNode, World, wideAreaLatency } from '../../testnet/simulator/index.ts';
import { printFigures } from '../support/figures.ts';
import { joinFirst, joinThrough, missingCopies, putRecords } from '../support/healing.ts';
import { runGets } from '../support/load.ts';
import { LoadPerNode } from '../support/load-per-node.ts';

const MINUTE = 60_000;
const NODES = 64;
const NEWCOMERS = 16;
const FLAP_MS = 10_000;
/** 10 Mbit/s up, 50 down, and 0.3 ms of processor time for a frame that comes alone: repair that did not mind others would be seen. */
const LIMITS = { uploadBytesPerSecond: 1_250_000, downloadBytesPerSecond: 6_250_000, serviceMs: 0.3 };

/** Records under way: handed over, or answered to who fetched them. */
function movedBytes({ network: { traffic } }: World): number {
  return traffic.sent('HAND_OFF').bytes + traffic.sent('FETCH answer').bytes;
}

/** What must be on these nodes and was not, because they are new: each record once. */
async function neededBytes(world: World, newcomers: readonly SimulatedNode[], keys: readonly Key[]): Promise<number> {
  let bytes = 0;
  for (const key of keys) {
    const holders = world.trueClosest(NodeId.fromBytes(key.id));
    const records = (await holders[0]!.life.registry?.read(key.id)) ?? [];
    const size = records.reduce((sum, record) => sum + recordBytes(record), 0);
    bytes += size * holders.filter((holder) => newcomers.includes(holder)).length;
  }
  return bytes;
}

/** Gone for five seconds of every ten. */
async function flap(world: World, node: SimulatedNode, forMs: number): Promise<void> {
  const endsAt = world.clock.monotonic() + forMs;
  while (world.clock.monotonic() < endsAt) {
    node.kill();
    await sleep(world.clock, FLAP_MS / 2);
    await node.start();
    void node.join(world.node(0).self).catch((error: unknown) => {
      if (!isNautilusError(error)) throw error;
    });
    await sleep(world.clock, FLAP_MS / 2);
  }
}

describe('sixteen nodes that join at once, and one that comes and goes', () => {
  it('have nothing moved that needs not be, and leave readers alone', { timeout: 300_000 }, async () => {
    const seed = 'storm';
    const conditions = { latency: wideAreaLatency({ seed }), limitsOf: () => LIMITS };
    const world = await World.create({ seed, nodes: NODES + NEWCOMERS, joined: false, conditions });
    await joinFirst(world, NODES);
    const keys = await putRecords(world, 200, 4_096);
    await world.run(2 * MINUTE);
    const introducer = world.node(0);
    const flapping = world.node(1);
    const newcomers = world.nodes.slice(-NEWCOMERS);
    // Who has not met anybody yet is a network of its own.
    const readers = world.running.filter((node) => node !== flapping);
    const load = { perSecond: 4, keys, random: world.random.fork('load'), readers: () => readers };

    const idle = await world.do(() => runGets(world, { ...load, forMs: 2 * MINUTE }));
    const before = movedBytes(world);
    const perNode = new LoadPerNode(world);
    const [storm] = await world.do(() =>
      Promise.all([
        runGets(world, { ...load, forMs: 5 * MINUTE }),
        flap(world, flapping, 5 * MINUTE),
        ...newcomers.map(async (node) => {
          await joinThrough(introducer, node);
          readers.push(node);
        }),
      ]),
    );
    await world.run(2 * MINUTE);
    perNode.stop();
    const moved = movedBytes(world) - before;
    const needed = await neededBytes(world, newcomers, keys);
    const old = world.nodes.slice(0, NODES);
    const served = perNode.spread('requestsServed', old);
    const repair = perNode.spread('repairBytes', old);
    const repairOfNew = perNode.spread('repairBytes', newcomers);
    printFigures([
      ['16 join at once, 1 flaps', 'gets', 'p50, ms', 'p99, ms', 'outcomes'],
      ['idle', idle.gets, idle.p50.toFixed(0), idle.p99.toFixed(0), JSON.stringify(idle.outcomes)],
      ['storm', storm.gets, storm.p50.toFixed(0), storm.p99.toFixed(0), JSON.stringify(storm.outcomes)],
    ]);
    printFigures([
      ['of one node', 'median', 'max'],
      ['requests served, of who was there before', served.median, served.max],
      ['bytes of repair, of who was there before', repair.median, repair.max],
      ['bytes of repair, of newcomers', repairOfNew.median, repairOfNew.max],
      ['record bytes that had to move, and that did', needed, moved],
    ]);
    expect(await missingCopies(world, keys)).toEqual([]);
    expect(moved).toBeLessThanOrEqual(2 * needed);
    expect(idle.outcomes).toEqual({ found: idle.gets });
    expect(Object.keys(storm.outcomes)).not.toContain('NOT_FOUND');
    expect(storm.p99).toBeLessThanOrEqual(3 * idle.p99);
    expect(served.max).toBeLessThanOrEqual(5 * served.median);
    expect(repairOfNew.max).toBeLessThanOrEqual(5 * repairOfNew.median);
    // Each takes from its nearest, so a quarter of the nodes gives everything; but nobody gives to more than a few.
    expect(repair.max).toBeLessThanOrEqual(5 * repairOfNew.median);
  });
});
