/** The network keeps itself whole: newcomers are handed what is theirs, what died is replaced, what left is taken over. */
import { describe, expect, it } from 'vitest';
import { NodeId } from '../../src/kademlia/index.ts';
import { parseKey, signRecord, utf8Decode, utf8Encode } from '../../src/records/index.ts';
import { World } from '../../testnet/simulator/index.ts';
import { joinAll, missingCopies, putRecords, recordsOf } from '../support/healing.ts';

const MINUTE = 60_000;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('a network that loses and gains nodes', () => {
  it('hands a newcomer everything it should hold once it has stayed', async () => {
    const world = await World.create({ seed: 'newcomer', nodes: 40, joined: false });
    await joinAll(world, range(0, 39));
    const keys = await putRecords(world, 60);
    await world.run(MINUTE);
    await world.restart(39);
    await world.run(5_000);
    expect(recordsOf(world.node(39))).toBe(0);
    await world.run(2 * MINUTE);
    expect(await missingCopies(world, keys)).toEqual([]);
    expect(world.node(39).replication.isSettled).toBe(true);
  });

  it('brings back twenty copies after a fifth of the nodes was killed', async () => {
    const world = await World.create({ seed: 'killed', nodes: 60 });
    const keys = await putRecords(world, 60);
    await world.run(MINUTE);
    for (const node of world.nodes.slice(3, 15)) node.kill();
    await world.run(5 * MINUTE);
    expect(await missingCopies(world, keys)).toEqual([]);
  });

  it('has the copies of a leaving node taken over before it is gone', async () => {
    const world = await World.create({ seed: 'leaving', nodes: 40 });
    const keys = await putRecords(world, 60);
    await world.run(MINUTE);
    await world.do(() => world.node(7).stop());
    expect(await missingCopies(world, keys)).toEqual([]);
  });

  it('drops copies that others have taken over', async () => {
    const world = await World.create({ seed: 'misplaced', nodes: 60, joined: false });
    await joinAll(world, range(0, 30));
    const keys = await putRecords(world, 40);
    await joinAll(world, range(30, 60));
    await world.run(60 * MINUTE);
    expect(await missingCopies(world, keys)).toEqual([]);
    const copies = world.nodes.reduce((sum, node) => sum + recordsOf(node), 0);
    expect(copies).toBe(40 * 20);
  });

  it('is quiet when nothing differs: one request per pair and round, and ever longer rounds', async () => {
    const world = await World.create({ seed: 'quiet', nodes: 24 });
    await putRecords(world, 30);
    await world.run(12 * MINUTE);
    const { traffic } = world.network;
    const moved = () => traffic.sent('HAND_OFF').frames + traffic.sent('FETCH').frames;
    const movedBefore = moved();
    const comparedWithin = async (minutes: number) => {
      const before = traffic.sent('SYNC').frames;
      await world.run(minutes * MINUTE);
      return (traffic.sent('SYNC').frames - before) / ((24 * 23) / 2);
    };
    // Rounds of 20, then of 40 minutes, a tenth more or less: at most two until minute 62, then one in 36.
    expect(await comparedWithin(50)).toBeLessThanOrEqual(2);
    expect(await comparedWithin(72)).toBeLessThanOrEqual(2.2);
    expect(moved()).toBe(movedBefore);
    expect(world.nodes.filter((node) => !node.replication.isSettled)).toEqual([]);
  });

  it('misses a copy that was lost in silence within minutes, however long its rounds are', async () => {
    const world = await World.create({ seed: 'silence', nodes: 40 });
    const keys = await putRecords(world, 20);
    await world.run(100 * MINUTE);
    for (const key of keys) {
      const [nearest] = world.trueClosest(NodeId.fromBytes(key.id));
      await world.do(() => nearest!.life.registry!.drop(key.id));
    }
    expect(await missingCopies(world, keys)).toHaveLength(keys.length);
    await world.run(10 * MINUTE);
    expect(await missingCopies(world, keys)).toEqual([]);
  });

  it('gives a renewed record back to holders for which its time was over', async () => {
    const world = await World.create({ seed: 'renewed', nodes: 4 });
    const key = parseKey('svc/web');
    const [owner, other] = world.nodes;
    await world.do(() => owner!.replication.put({ key, value: utf8Encode('v1'), ttlMs: 10 * MINUTE }));
    await world.run(MINUTE);
    world.partition([[0, 1]]);
    const [held] = await owner!.life.registry!.read(key.id);
    const { network } = world.constants;
    const expiresAt = held!.header.expiresAt + 60 * MINUTE;
    const { header } = await signRecord(owner!.signer, network, { ...held!.header, expiresAt, value: held!.value! });
    for (const node of [owner!, other!]) await node.life.registry!.merge({ header, value: undefined });
    await world.run(15 * MINUTE); // over, but for these two
    world.heal();
    await world.run(25 * MINUTE);
    for (const node of world.nodes) {
      const records = await node.life.registry!.read(key.id);
      expect(records.map(({ value }) => value && utf8Decode(value))).toEqual(['v1']);
      expect(node.replication.isSettled).toBe(true);
    }
  });

  it('spreads a delete to holders that missed it', async () => {
    const world = await World.create({ seed: 'missed', nodes: 30 });
    const [key] = await putRecords(world, 1);
    const target = parseKey(key!.text);
    const holders = world.trueClosest(NodeId.fromBytes(target.id));
    const asleep = holders.slice(0, 5);
    const publisher = (await holders[0]!.life.registry!.read(target.id))[0]!.header.publisher;
    const owner = world.nodes.find((node) => node.signer.publicKey.join() === publisher.join())!;
    for (const holder of asleep) if (holder !== owner) holder.pause();
    await world.do(() => owner.replication.delete({ key: target }));
    for (const holder of asleep) if (holder.isPaused) holder.resume();
    await world.run(15 * MINUTE);
    for (const holder of holders) {
      const held = await holder.life.registry!.read(target.id);
      expect(held.map(({ header }) => header.deleted)).toEqual([true]);
    }
  });
});
