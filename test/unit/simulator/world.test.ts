import { describe, expect, it } from 'vitest';
import { parseKey, utf8Decode, utf8Encode } from '../../../src/records/index.ts';
import { type SeededRandom, World } from '../../../testnet/simulator/index.ts';

const KEY = parseKey('svc/web');
const put = (world: World, number: number) =>
  world.do(() => world.node(number).replication.put({ key: KEY, value: utf8Encode('v'), ttlMs: 3_600_000 }));
const get = async (world: World, number: number) => {
  const { records } = await world.do(() => world.node(number).replication.get({ key: KEY }));
  return utf8Decode(records[0]!.value);
};

describe('World', () => {
  it('says its seed first, in its description and in what it fails with', async () => {
    const world = await World.create({ seed: 'my seed', nodes: 2 });
    expect(String(world)).toMatch(/^seed my seed · 2 nodes · .* trace [0-9a-f]{16}$/);
    await expect(world.do(() => Promise.reject(new Error('a bug')))).rejects.toThrow(/^seed my seed · /);
    await expect(world.do(() => new Promise(() => undefined), 1000)).rejects.toThrow(/^seed my seed · /);
  });

  it('gives machines that never ran when the scenario wants to start them itself', async () => {
    const world = await World.create({ seed: 7, nodes: 3, joined: false });
    expect(world.alive).toEqual([]);
    expect(world.network.trace.frames).toBe(0);
    await world.do(() => Promise.all(world.nodes.map((node) => node.start())));
    expect(world.alive.map(({ kademlia }) => kademlia.contacts())).toEqual([[], [], []]);
    await world.do(() => world.node(1).join(world.node(0).self));
    await world.do(() => world.node(2).join(world.node(0).self));
    expect(world.alive.map(({ kademlia }) => kademlia.contacts().length)).toEqual([2, 2, 2]);
  });

  it('hands on what an operation refuses, as the operation said it', async () => {
    const world = await World.create({ seed: 1, nodes: 2 });
    await world.run(5_000); // until both have compared and may say "absent"
    await expect(get(world, 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('brings a killed node back with its identity and what its disk holds, and without either after a wipe', async () => {
    const world = await World.create({ seed: 2, nodes: 3 });
    await put(world, 0);
    await world.run(1000);
    const held = async (number: number) =>
      (await world.do(() => world.node(number).life.registry!.read(KEY.id))).length;
    expect(await held(1)).toBe(1);
    world.node(1).kill();
    expect(world.alive.map(({ number }) => number)).toEqual([0, 2]);
    await world.restart(1);
    expect(await held(1)).toBe(1);
    expect(await get(world, 1)).toBe('v');
    world.node(1).kill();
    world.node(1).wipe();
    await world.restart(1);
    expect(await held(1)).toBe(0);
    expect(await get(world, 1)).toBe('v');
  });

  it('stops a node gracefully: its peers drop it and nothing of it is left to happen', async () => {
    const world = await World.create({ seed: 3, nodes: 3 });
    await world.do(() => world.node(2).stop());
    await world.run(1000);
    for (const { kademlia } of world.alive) {
      expect(kademlia.peers().some(({ contact }) => contact.id.equals(world.node(2).self.id))).toBe(false);
    }
    await put(world, 0);
    expect(await get(world, 1)).toBe('v');
  });

  it('breaks the connections of a killed node at once, and those of one that vanished never', async () => {
    const world = await World.create({ seed: 9, nodes: 4 });
    await world.do(() => Promise.all([2, 3].map((to) => world.node(1).kademlia.ping(world.node(to).self))));
    const isConnected = (to: number) => world.node(1).life.kademlia.isConnected(world.node(to).self.id);
    expect([isConnected(2), isConnected(3)]).toEqual([true, true]);
    world.node(2).kill();
    world.node(3).kill({ silent: true });
    await world.run(100);
    expect([isConnected(2), isConnected(3)]).toEqual([false, true]);
    await expect(world.do(() => world.node(1).kademlia.ping(world.node(3).self))).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(world.network.traffic.dropped.vanished).toBeGreaterThan(0);
    await world.restart(3);
    await world.do(() => world.node(1).kademlia.ping(world.node(3).self));
    expect(isConnected(3)).toBe(true);
  });

  it('lets a paused node go on where it stood', async () => {
    const world = await World.create({ seed: 4, nodes: 3 });
    world.node(1).pause();
    expect(world.running).toHaveLength(2);
    await world.run(5000);
    world.node(1).resume();
    await put(world, 1);
    expect(await get(world, 2)).toBe('v');
  });

  it('works with real signatures and skewed clocks as with cheap ones', async () => {
    const world = await World.create({
      seed: 5,
      nodes: 4,
      ed25519: true,
      clockErrorOf: (_number, random: SeededRandom) => ({ skewMs: random.integer(20_000) - 10_000, driftPpm: 50 }),
    });
    await put(world, 0);
    await put(world, 3);
    expect(await get(world, 2)).toBe('v');
  });

  it('fails the seed when a promise is rejected and nobody listens', async () => {
    // The test runner listens too, and would fail the test for what is wanted here.
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    try {
      const world = await World.create({ seed: 6, nodes: 2 });
      world.clock.setTimer(10, () => void Promise.reject(new Error('forgotten')));
      const failure = await world.run(1000).catch((error: Error) => error);
      expect(String(failure)).toMatch(/^Error: seed 6 · /);
      expect(String(((failure as Error).cause as Error).cause)).toBe('Error: forgotten');
    } finally {
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
  });
});
