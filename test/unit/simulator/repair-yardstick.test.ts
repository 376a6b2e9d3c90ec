import { beforeEach, describe, expect, it } from 'vitest';
import { encodeRequest } from '../../../src/kademlia/index.ts';
import { hashValue, parseKey } from '../../../src/records/index.ts';
import { World } from '../../../testnet/simulator/index.ts';
import { NearestNodes } from '../../../testnet/simulator/nearest-nodes.ts';
import { RepairYardstick } from '../../../testnet/simulator/repair-yardstick.ts';

const MINUTE = 60_000;
const K = 3;
const key = parseKey('a');
const value = new Uint8Array(100);

describe('RepairYardstick', () => {
  let world: World;
  let yardstick: RepairYardstick;
  let nearest: NearestNodes;

  beforeEach(async () => {
    world = await World.create({ seed: 'yardstick', nodes: 6, joined: false });
    await world.do(() => Promise.all(world.nodes.map((node) => node.start())));
    nearest = new NearestNodes(world.nodes, 6);
    yardstick = new RepairYardstick(world.clock, nearest, K);
    yardstick.start();
  });

  const write = (seq: number, ttlMs = 1e9) => {
    const publisher = world.node(0).self.publicKey;
    yardstick.wrote({ key, publisher, seq, expiresAt: world.clock.now() + ttlMs, value });
  };
  const holder = () => nearest.of(key.id).find(({ isAlive }) => isAlive)!;
  const moves = () => yardstick.figures.necessary.moves;

  it('counts what holders would store anew in an hour, in bytes of the codec', async () => {
    write(1);
    await world.run(60 * MINUTE);
    const { recordHours, byEveryHolder, byOneHolder, necessary, pairRounds } = yardstick.figures;
    expect(recordHours).toBeCloseTo(1, 9);
    expect(byEveryHolder.stores).toBeCloseTo(K * (K - 1), 9);
    expect(byOneHolder.stores).toBeCloseTo(K - 1, 9);
    expect([byEveryHolder.lookups, byOneHolder.lookups].map(Math.round)).toEqual([K, 1]);
    const header = {
      key,
      publisher: world.node(0).self.publicKey,
      seq: 1,
      expiresAt: world.clock.now() + 1e9,
      deleted: false,
      valueHash: hashValue(value),
      signature: new Uint8Array(64),
    };
    const request = encodeRequest(1, { type: 'STORE', record: { header, value } }).length;
    const bytesOfOne = byOneHolder.bytes / byOneHolder.stores;
    expect(bytesOfOne).toBeGreaterThan(request);
    expect(bytesOfOne).toBeLessThan(request + 64);
    expect(byEveryHolder.bytes / byEveryHolder.stores).toBeCloseTo(bytesOfOne, 9);
    expect(necessary.moves).toBe(0);
    expect(pairRounds).toBe((6 * K * (K - 1)) / 2);
  });

  it('moves a record once for each node that has to have it and has not', async () => {
    write(1);
    await world.run(MINUTE);
    const gone = holder();
    gone.kill();
    await world.run(3 * MINUTE);
    expect(moves()).toBe(1);
    // It comes back with its disk: whoever stood in for it still has its copy when it goes again.
    await world.do(() => gone.start());
    await world.run(10 * MINUTE);
    gone.kill();
    await world.run(MINUTE);
    expect(moves()).toBe(1);
    // Not so when it was not needed for long enough to drop it.
    await world.do(() => gone.start());
    await world.run(30 * MINUTE);
    gone.kill();
    await world.run(MINUTE);
    expect(moves()).toBe(2);
    expect(yardstick.figures.necessary.bytes).toBeGreaterThan(2 * value.length);
  });

  it('moves a new version to who missed it, and everything to who lost its disk', async () => {
    write(1);
    const gone = holder();
    gone.kill();
    await world.run(MINUTE);
    expect(moves()).toBe(1);
    write(2);
    await world.do(() => gone.start());
    await world.run(MINUTE);
    expect(moves()).toBe(2);
    gone.kill();
    yardstick.wiped(gone.number);
    await world.do(() => gone.start());
    await world.run(MINUTE);
    expect(moves()).toBe(3);
  });

  it('forgets what has expired or was deleted', async () => {
    write(1, 10.5 * MINUTE);
    await world.run(30 * MINUTE);
    expect(yardstick.figures.recordHours).toBeCloseTo(10 / 60, 9);
    write(2);
    await world.run(MINUTE);
    yardstick.deleted(key);
    await world.run(30 * MINUTE);
    expect(yardstick.figures.recordHours).toBeCloseTo(11 / 60, 9);
  });

  it('looks a last time when it is stopped', async () => {
    write(1);
    await world.run(1.5 * MINUTE);
    yardstick.stop();
    expect(yardstick.figures.recordHours).toBeCloseTo(1.5 / 60, 9);
    await world.run(10 * MINUTE);
    expect(yardstick.figures.recordHours).toBeCloseTo(1.5 / 60, 9);
  });
});
