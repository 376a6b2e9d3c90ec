/** What a simulated world holds, held against what it should hold. */
import { NodeId } from '../../src/kademlia/index.ts';
import { type Key, parseKey, utf8Encode } from '../../src/records/index.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';

const TTL_MS = 24 * 3_600_000;

/** Puts `count` records from nodes all over the world. @param sizeBytes of the values @returns their keys */
export async function putRecords(world: World, count: number, sizeBytes = 100): Promise<readonly Key[]> {
  const random = world.random.fork('records');
  const keys = Array.from({ length: count }, (_, i) => parseKey(`svc/${i}`));
  for (const key of keys) {
    const value = utf8Encode(`value of ${key.text}`.padEnd(sizeBytes, '.'));
    await world.do(() => random.pick(world.running).replication.put({ key, value, ttlMs: TTL_MS }));
  }
  return keys;
}

/** Live records a node holds. */
export function recordsOf(node: SimulatedNode): number {
  return node.life.registry?.size().records ?? 0;
}

/** Of each key how many of the K running servers nearest to it lack it; only keys that lack any. */
export async function missingCopies(world: World, keys: readonly Key[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const key of keys) {
    const lacking: number[] = [];
    for (const node of world.trueClosest(NodeId.fromBytes(key.id))) {
      const held = await node.life.registry?.read(key.id);
      if (!held?.some(({ value }) => value !== undefined)) lacking.push(node.number);
    }
    if (lacking.length > 0) missing.push(`${key.text}: ${lacking.join(' ')}`);
  }
  return missing;
}

/** Starts nodes that have not run yet, all at once, each through a node that runs. */
export async function joinAll(world: World, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await world.restart(number);
}

/** The same inside the world, so that other things may go on meanwhile; resolves when it has joined. */
export async function joinThrough(introducer: SimulatedNode, node: SimulatedNode): Promise<void> {
  await node.start();
  await node.join(introducer.self);
}

/** The first `count` nodes of a world of which none has run yet: never more at a time than there are already. */
export async function joinFirst(world: World, count: number): Promise<void> {
  const [first] = world.nodes;
  await world.do(() => first!.start());
  for (let joined = 1; joined < count; ) {
    const batch = world.nodes.slice(joined, Math.min(count, 2 * joined));
    await world.do(() => Promise.all(batch.map((node) => joinThrough(first!, node))));
    joined += batch.length;
  }
}
