/** Load on a simulated world: gets at random moments (Poisson) through nodes all over it, and how each fared. */
import { isNautilusError, sleep } from '../../src/core/index.ts';
import type { Key } from '../../src/records/index.ts';
import { percentile, type SeededRandom, type SimulatedNode, type World } from '../../testnet/simulator/index.ts';

export interface LoadOptions {
  readonly perSecond: number;
  readonly forMs: number;
  readonly keys: readonly Key[];
  readonly random: SeededRandom;
  /** @default every running node. One that may be killed before it answers must not be among them. */
  readonly readers?: (() => readonly SimulatedNode[]) | undefined;
}

export interface LoadFigures {
  readonly gets: number;
  /** Found with nothing to add, found `partial`, or an error by its code. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly p50: number;
  readonly p99: number;
}

/** To be run inside the world (`World.do`), alone or beside other work. */
export async function runGets(world: World, options: LoadOptions): Promise<LoadFigures> {
  const { perSecond, forMs, keys, random, readers = () => world.running } = options;
  const { clock } = world;
  const endsAt = clock.monotonic() + forMs;
  const outcomes: Record<string, number> = {};
  const elapsedMs: number[] = [];
  const get = async (node: SimulatedNode, key: Key) => {
    const startedAt = clock.monotonic();
    const outcome = await outcomeOf(node, key);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    elapsedMs.push(clock.monotonic() - startedAt);
  };
  const gets: Promise<void>[] = [];
  for (;;) {
    const gapMs = (-Math.log(1 - random.next()) * 1_000) / perSecond;
    if (clock.monotonic() + gapMs >= endsAt) break;
    await sleep(clock, gapMs);
    gets.push(get(random.pick(readers()), random.pick(keys)));
  }
  await sleep(clock, endsAt - clock.monotonic());
  await Promise.all(gets);
  return { gets: gets.length, outcomes, p50: percentile(elapsedMs, 0.5), p99: percentile(elapsedMs, 0.99) };
}

async function outcomeOf(node: SimulatedNode, key: Key): Promise<string> {
  try {
    const { partial } = await node.replication.get({ key });
    return partial ? 'partial' : 'found';
  } catch (error) {
    if (isNautilusError(error)) return error.code;
    throw error;
  }
}
