/** One key that everybody reads all the time: whoever reads another one hardly notices. */
import { describe, expect, it } from 'vitest';
import { parseKey, utf8Encode } from '../../src/records/index.ts';
import { World, wideAreaLatency } from '../../testnet/simulator/index.ts';
import { printFigures } from '../support/figures.ts';
import { putRecords } from '../support/healing.ts';
import { runGets } from '../support/load.ts';

const MINUTE = 60_000;
const LOAD_MS = 3_000;
/** 100 Mbit/s either way, and 0.3 ms of processor time for a frame that comes alone: some 3,000 requests a second are all a node can serve. */
const LIMITS = { uploadBytesPerSecond: 12_500_000, downloadBytesPerSecond: 12_500_000, serviceMs: 0.3 };

describe('a key that all nodes read, a thousand times a second together', () => {
  it('makes gets of other keys at most three times as slow', { timeout: 300_000 }, async () => {
    const seed = 'hot';
    const conditions = { latency: wideAreaLatency({ seed }), limitsOf: () => LIMITS };
    const world = await World.create({ seed, nodes: 64, conditions });
    const keys = await putRecords(world, 60);
    const hot = parseKey('svc/everybody');
    await world.do(() => world.node(7).replication.put({ key: hot, value: utf8Encode('v1'), ttlMs: 60 * MINUTE }));
    await world.run(2 * MINUTE);
    const random = world.random.fork('load');
    const others = { perSecond: 100, forMs: LOAD_MS, keys, random: random.fork('others') };
    await world.do(() => runGets(world, others)); // everybody has met everybody it needs
    const idle = await world.do(() => runGets(world, others));
    const [busy, crowd] = await world.do(() =>
      Promise.all([
        runGets(world, others),
        runGets(world, { perSecond: 1_000, forMs: LOAD_MS, keys: [hot], random: random.fork('crowd') }),
      ]),
    );
    printFigures([
      ['a hot key', 'gets', 'p50, ms', 'p99, ms', 'outcomes'],
      ...Object.entries({ 'other keys, idle': idle, 'other keys, beside it': busy, 'the hot key': crowd }).map(
        ([what, { gets, p50, p99, outcomes }]) => [
          what,
          gets,
          p50.toFixed(0),
          p99.toFixed(0),
          JSON.stringify(outcomes),
        ],
      ),
    ]);
    expect(idle.outcomes).toEqual({ found: idle.gets });
    expect(busy.outcomes).toEqual({ found: busy.gets });
    expect(crowd.outcomes).toEqual({ found: crowd.gets });
    expect(busy.p99).toBeLessThanOrEqual(3 * idle.p99);
  });
});
