/** Looks random keys up from random nodes and holds what came back against the oracle, which knows every id of the world. */
import { NodeId } from '../../src/kademlia/index.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { World } from './world.ts';

export interface MeasuredLookup {
  readonly target: NodeId;
  /** What the lookup returned, nearest first. */
  readonly found: readonly NodeId[];
  /** Share of the true K closest live servers among what the lookup found, 0 … 1. */
  readonly overlap: number;
  /** What the lookup says of itself: nobody nearer was left unheard. */
  readonly complete: boolean;
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
}

export interface MeasureLookupsOptions {
  readonly count: number;
  /** How many run at once. @default 16 */
  readonly concurrency?: number | undefined;
  /** Whom the oracle expects to be found from a node, both by number: not those across a partition. @default everybody */
  readonly reachable?: ((from: number, to: number) => boolean) | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export async function measureLookups(world: World, options: MeasureLookupsOptions): Promise<MeasuredLookup[]> {
  const { count, concurrency = 16, reachable = () => true, onProgress } = options;
  const random = world.random.fork(`lookups at ${world.clock.monotonic()}`);
  const measured: MeasuredLookup[] = [];
  while (measured.length < count) {
    const batch = Array.from({ length: Math.min(concurrency, count - measured.length) }, () => ({
      target: NodeId.fromBytes(random.bytes(32)),
      from: random.pick(world.running),
    }));
    measured.push(
      ...(await world.do(() => Promise.all(batch.map((lookup) => measureLookup(world, lookup, reachable))))),
    );
    onProgress?.(measured.length, count);
  }
  return measured;
}

/** One lookup of a random key from a random node. Inside a world that runs. */
export function lookUpAtRandom(world: World, random: SeededRandom): Promise<MeasuredLookup> {
  const target = NodeId.fromBytes(random.bytes(32));
  world.network.traffic.aim(target.bytes, 'FIND_NODE to measure');
  return measureLookup(world, { target, from: random.pick(world.running) }, () => true);
}

async function measureLookup(
  world: World,
  { target, from }: { readonly target: NodeId; readonly from: World['nodes'][number] },
  reachable: (from: number, to: number) => boolean,
): Promise<MeasuredLookup> {
  const { closest, complete, hops, requests, elapsedMs } = await from.kademlia.findClosest(target);
  // The node that asks is not asked: it is the oracle's business whether it counts itself.
  const known = new Set([...closest.map(({ id }) => id.hex), from.self.id.hex]);
  const truth = world.trueClosest(target, ({ number }) => reachable(from.number, number));
  const hits = truth.filter(({ self }) => known.has(self.id.hex)).length;
  const found = closest.map(({ id }) => id);
  const overlap = truth.length === 0 ? 1 : hits / truth.length;
  return { target, found, overlap, complete, hops, requests, elapsedMs };
}
