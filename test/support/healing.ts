/** What a simulated world holds, held against what it should hold. */
import { NodeId } from '../../src/kademlia/index.ts';
import { type Key, parseKey, utf8Encode } from '../../src/records/index.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';

const TTL_MS = 24 * 3_600_000;

/** Puts `count` records of about 100 bytes from nodes all over the world. @returns their keys */
export async function putRecords(world: World, count: number): Promise<readonly Key[]> {
  const random = world.random.fork('records');
  const keys = Array.from({ length: count }, (_, i) => parseKey(`svc/${i}`));
  for (const key of keys) {
    const value = utf8Encode(`value of ${key.text}`.padEnd(100, '.'));
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
