/**
 * What gets cost over wide-area links, before and right after some of the nodes vanish without a word: their peers still have them in their
 * tables, their connections stay open, nothing is refused. The question behind it: does a silent peer cost one hedge, or its timeout?
 */
import { isNautilusError } from '../../src/core/index.ts';
import { parseKey, utf8Decode, utf8Encode } from '../../src/records/index.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

export interface MeasuredGet {
  /** `right`: the value that was put; `partial`: the same, but with too few settled holders to vouch for it; else the code of the refusal. */
  readonly outcome: string;
  readonly hops: number;
  readonly requests: number;
  /** Also of those that failed. */
  readonly elapsedMs: number;
}

export interface MeasureGetsOptions {
  readonly keys: readonly string[];
  /** How many gets run at once. @default 16 */
  readonly concurrency?: number | undefined;
}

const TTL_MS = 86_400_000;
/** After which everybody of a network that has just been made may say what is absent. */
const SETTLING_MS = 180_000;

/** Puts one record per key, each from any node, and gives the holders time to compare. @returns the keys */
export async function putSomeRecords(world: World, count: number): Promise<readonly string[]> {
  const random = world.random.fork('put some records');
  const keys = Array.from({ length: count }, (_, i) => `svc/${i}`);
  const put = (key: string) =>
    random.pick(world.running).replication.put({ key: parseKey(key), value: utf8Encode(textOf(key)), ttlMs: TTL_MS });
  for (let i = 0; i < keys.length; i += 16) await world.do(() => Promise.all(keys.slice(i, i + 16).map(put)));
  await world.run(SETTLING_MS);
  return keys;
}

/** Power is gone at a share of the nodes, at once. */
export function killSilently(world: World, share: number): void {
  const victims = world.random.fork('vanish').sample(world.running, Math.round(share * world.running.length));
  for (const node of victims) node.kill({ silent: true });
}

/** One get of each key, each from any running node. */
export async function measureGets(world: World, options: MeasureGetsOptions): Promise<MeasuredGet[]> {
  const { keys, concurrency = 16 } = options;
  const random = world.random.fork(`gets at ${world.clock.monotonic()}`);
  const measured: MeasuredGet[] = [];
  for (let i = 0; i < keys.length; i += concurrency) {
    const batch = keys.slice(i, i + concurrency).map((key) => ({ key, from: random.pick(world.running) }));
    measured.push(...(await world.do(() => Promise.all(batch.map(({ key, from }) => measureGet(world, key, from))))));
  }
  return measured;
}

async function measureGet(world: World, key: string, from: SimulatedNode): Promise<MeasuredGet> {
  const startedAt = world.clock.monotonic();
  try {
    const { records, partial, hops, requests, elapsedMs } = await from.replication.get({ key: parseKey(key) });
    const isRight = utf8Decode(records[0]!.value) === textOf(key);
    return { outcome: isRight ? (partial ? 'partial' : 'right') : 'WRONG', hops, requests, elapsedMs };
  } catch (error) {
    if (!isNautilusError(error)) throw error;
    return { outcome: error.code, hops: 0, requests: 0, elapsedMs: world.clock.monotonic() - startedAt };
  }
}

function textOf(key: string): string {
  return `value of ${key}`;
}
