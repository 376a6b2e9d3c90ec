import { describe, expect, it } from 'vitest';
import { isNautilusError, sleep } from '../../src/core/index.ts';
import { NodeId } from '../../src/kademlia/index.ts';
import { parseKey, toHex, utf8Decode, utf8Encode } from '../../src/records/index.ts';
import type { GetResult, PutResult } from '../../src/replication/index.ts';
import { SeededRandom, type SimulatedNode, uniformLatency, World } from '../../testnet/simulator/index.ts';

const TTL_MS = 3_600_000;

const put = (node: SimulatedNode, key: string, value: string): Promise<PutResult> =>
  node.replication.put({ key: parseKey(key), value: utf8Encode(value), ttlMs: TTL_MS });
const get = (node: SimulatedNode, key: string): Promise<GetResult> => node.replication.get({ key: parseKey(key) });
const remove = (node: SimulatedNode, key: string): Promise<PutResult> =>
  node.replication.delete({ key: parseKey(key) });
const textOf = ({ records }: GetResult): string => utf8Decode(records[0]!.value);

/** The value, or the code of the honest refusal. */
const outcomeOf = async (node: SimulatedNode, key: string): Promise<string> => {
  try {
    return textOf(await get(node, key));
  } catch (error) {
    if (isNautilusError(error)) return error.code;
    throw error;
  }
};

const seeds = (count: number): string[] => Array.from({ length: count }, (_, i) => `seed ${i}`);

describe('records in a simulated network', () => {
  it('stores on exactly the K closest nodes, and says so in the receipt', async () => {
    const world = await World.create({ seed: 'receipt', nodes: 64 });
    const { receipt } = await world.do(() => put(world.node(5), 'svc/web', 'v1'));
    await world.run(1_000); // stragglers; nobody has been here long enough to be handed copies
    const key = parseKey('svc/web');
    const truth = world.trueClosest(NodeId.fromBytes(key.id));
    expect(receipt).toMatchObject({ k: 20, wanted: 11 });
    expect(receipt.acked).toBeGreaterThanOrEqual(11);
    const holding: number[] = [];
    for (const { number, life } of world.nodes) {
      if ((await world.do(() => life.registry!.read(key.id))).length > 0) holding.push(number);
    }
    expect(holding.sort()).toEqual(truth.map(({ number }) => number).sort());
  });

  it('keeps within the requests of a steady state: put 2K + 6, get K + 6 in 64 nodes', async () => {
    const world = await World.create({ seed: 'requests', nodes: 64 });
    const random = world.random.fork('load');
    const { k } = world.constants;
    const { traffic } = world.network;
    // PINGs, FIND_NODEs and SYNCs of all nodes are upkeep; the FIND_NODEs of an operation are in the requests it reports.
    const sent = () => traffic.sent('FIND_VALUE').frames + traffic.sent('STORE').frames;
    const counted = async <T>(work: () => Promise<T>, limit: number): Promise<T> => {
      const before = sent();
      const result = await world.do(work);
      await world.run(3000);
      expect(sent() - before).toBeLessThanOrEqual(limit);
      return result;
    };
    for (let i = 0; i < 40; i++) {
      const { requests } = await counted(() => put(random.pick(world.nodes), `svc/${i}`, `v${i}`), 2 * k + 6);
      expect(requests).toBeLessThanOrEqual(2 * k + 6);
    }
    for (let i = 0; i < 40; i++) {
      const found = await counted(() => get(random.pick(world.nodes), `svc/${i}`), k + 6);
      expect(textOf(found)).toBe(`v${i}`);
      expect(found.requests).toBeLessThanOrEqual(k + 6);
    }
  });

  it('finds everything right after 30 % of the nodes were killed', async () => {
    const world = await World.create({ seed: 'kill', nodes: 64 });
    const random = world.random.fork('load');
    const keys = Array.from({ length: 60 }, (_, i) => `svc/${i}`);
    await world.do(() => Promise.all(keys.map((key) => put(random.pick(world.nodes), key, `value of ${key}`))));
    for (const node of random.sample(world.nodes, 19)) node.kill();
    for (const key of keys)
      expect(await world.do(() => outcomeOf(random.pick(world.alive), key))).toBe(`value of ${key}`);
  });

  it('finds everything right after 30 % of the nodes hung', async () => {
    const world = await World.create({ seed: 'hang', nodes: 64 });
    const random = world.random.fork('load');
    const keys = Array.from({ length: 30 }, (_, i) => `svc/${i}`);
    await world.do(() => Promise.all(keys.map((key) => put(random.pick(world.nodes), key, `value of ${key}`))));
    for (const node of random.sample(world.nodes, 19)) node.pause();
    for (const key of keys) {
      expect(await world.do(() => outcomeOf(random.pick(world.running), key))).toBe(`value of ${key}`);
    }
  });

  it('stores at once when those that hung go on, also where they are most of the network', async () => {
    const world = await World.create({ seed: 'resume', nodes: 12 });
    const [publisher, ...others] = world.nodes;
    const hung = others.slice(0, 8);
    for (const node of hung) node.pause();
    await expect(world.do(() => put(publisher!, 'svc/web', 'while they hang'))).rejects.toMatchObject({
      code: 'QUORUM_NOT_REACHED',
    });
    for (const node of hung) node.resume();
    const { receipt } = await world.do(() => put(publisher!, 'svc/web', 'right after'));
    expect(receipt.acked).toBeGreaterThanOrEqual(receipt.wanted);
  });

  it.each(seeds(50))('lets every get see every put that finished before it: %s', async (seed) => {
    const shape = new SeededRandom(seed).fork('shape');
    const lossRate = shape.pick([0, 0, 0.02, 0.05]);
    const world = await World.create({ seed, nodes: 4 + shape.integer(30) });
    Object.assign(world.network.conditions, { latency: uniformLatency(1, 80), lossRate });
    const random = world.random.fork('load');
    // Undefined after a put that missed its quorum: it may be seen or not, until the next one finishes.
    let finished: string | undefined = 'NOT_FOUND';
    for (let i = 0; i < 12; i++) {
      try {
        await world.do(() => put(random.pick(world.nodes), 'svc/web', `v${i}`));
        finished = `v${i}`;
      } catch (error) {
        if (lossRate === 0 || !isNautilusError(error, 'QUORUM_NOT_REACHED')) throw error;
        finished = undefined;
      }
      const seen = await world.do(() => outcomeOf(random.pick(world.nodes), 'svc/web'));
      const isHonestRefusal = lossRate > 0 && seen === 'QUORUM_NOT_REACHED';
      if (finished !== undefined && !isHonestRefusal) expect(seen).toBe(finished);
    }
  });

  it('keeps deleted what was deleted, also from who did not hear of it', async () => {
    const world = await World.create({ seed: 'delete', nodes: 40 });
    await world.run(180_000); // until a crowd that has just come may say "absent"
    const random = world.random.fork('load');
    const owner = world.node(3);
    await world.do(() => put(owner, 'svc/web', 'v1'));
    const holders = world.trueClosest(NodeId.fromBytes(parseKey('svc/web').id));
    const asleep = holders.filter((node) => node !== owner).slice(0, 5);
    for (const node of asleep) node.pause();
    await world.do(() => remove(owner, 'svc/web'));
    for (const node of asleep) node.resume();
    for (let i = 0; i < 20; i++) {
      expect(await world.do(() => outcomeOf(random.pick(world.nodes), 'svc/web'))).toBe('NOT_FOUND');
    }
    await world.do(() => put(owner, 'svc/web', 'v2'));
    expect(await world.do(() => outcomeOf(random.pick(world.nodes), 'svc/web'))).toBe('v2');
  });

  it('shows nothing after its time', async () => {
    const world = await World.create({ seed: 'expiry', nodes: 30 });
    await world.do(() => put(world.node(1), 'svc/web', 'v1'));
    await world.run(TTL_MS - 60_000);
    expect(await world.do(() => outcomeOf(world.node(2), 'svc/web'))).toBe('v1');
    await world.run(60_000);
    expect(await world.do(() => outcomeOf(world.node(2), 'svc/web'))).toBe('NOT_FOUND');
    // Every holder said so once; the floors they keep announce nothing.
    expect(world.events.get('record-expired')).toBe(20);
  });

  it('returns nothing whose time is over when its value arrives', async () => {
    const latency = uniformLatency(20, 80);
    const world = await World.create({ seed: 'ends', nodes: 40, constants: { k: 5 }, conditions: { latency } });
    await world.run(180_000); // everybody may say what is absent
    const random = world.random.fork('readers');
    const ended: number[] = [];
    let found = 0;
    let absent = 0;
    for (let i = 0; i < 60; i++) {
      const key = `svc/${i}`;
      const ttlMs = 2_000;
      const value = utf8Encode(key.padEnd(2_000));
      const writer = world.node(0);
      const { expiresAt } = await world.do(() => writer.replication.put({ key: parseKey(key), value, ttlMs }));
      const reader = random.pick(world.nodes);
      await world.do(async () => {
        await sleep(world.clock, Math.max(0, expiresAt - writer.life.clock.now() - 10 * (i % 30)));
        try {
          const { records } = await get(reader, key);
          const now = reader.life.clock.now();
          ended.push(...records.map(({ expiresAt }) => now - expiresAt).filter((late) => late >= 0));
          found++;
        } catch (error) {
          if (!isNautilusError(error, 'NOT_FOUND')) throw error;
          absent++;
        }
      });
    }
    expect(ended).toEqual([]);
    expect(found).toBeGreaterThan(5);
    expect(absent).toBeGreaterThan(5);
  });

  it('converges when many publish one key at once: one newest for everybody, every publisher kept', async () => {
    const world = await World.create({ seed: 'concurrent', nodes: 40 });
    const writers = world.random.fork('writers').sample(world.nodes, 12);
    await world.do(() => Promise.all(writers.map((node) => put(node, 'svc/web', `by ${node.number}`))));
    await world.run(10_000);
    const answers = new Set<string>();
    for (const node of world.nodes) answers.add(await world.do(() => outcomeOf(node, 'svc/web')));
    expect([...answers]).toHaveLength(1);
    const all = await world.do(() => world.node(0).replication.get({ key: parseKey('svc/web'), all: true }));
    expect(all.records.map(({ value }) => utf8Decode(value)).sort()).toEqual(
      writers.map(({ number }) => `by ${number}`).sort(),
    );
    const { id } = parseKey('svc/web');
    const cells = new Set<string>();
    for (const node of world.trueClosest(NodeId.fromBytes(id))) {
      const held = await world.do(() => node.life.registry!.read(id));
      cells.add(
        held
          .map(({ header }) => `${toHex(header.publisher)} ${header.seq}`)
          .sort()
          .join(),
      );
    }
    expect([...cells]).toHaveLength(1);
  });

  it.each([1, 2, 3])('is honest in a network of %i', async (nodes) => {
    const world = await World.create({ seed: `tiny ${nodes}`, nodes });
    const { receipt } = await world.do(() => put(world.node(0), 'svc/web', 'v1'));
    expect(receipt).toMatchObject({ k: nodes, wanted: Math.floor(nodes / 2) + 1 });
    await world.run(10_000);
    for (const node of world.nodes) expect(await world.do(() => outcomeOf(node, 'svc/web'))).toBe('v1');
    expect(await world.do(() => outcomeOf(world.node(0), 'svc/none'))).toBe('NOT_FOUND');
  });
});
