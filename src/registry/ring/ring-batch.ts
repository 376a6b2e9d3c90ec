/**
 * Many operations of one call, spread over the shards: those that one shard can answer alone go there together, the others one by one. Outcomes
 * stand in the order of the operations. Not here: which shard can, and what one operation takes (ring-storage.ts).
 */
import { isOfShard } from './group-settler.ts';
import type { Shard } from './shard.ts';

/** Of one batch, on one shard at a time: keeps a call within its deadline. */
const TOGETHER = 512;
/** Operations of a batch that need more than one shard, at once. */
const ONE_BY_ONE = 64;

export interface RingBatchInit<Item, Outcome> {
  /** The shard that can do it alone; undefined: it takes more. */
  shardOf(item: Item): Shard | undefined;
  together(shard: Shard, items: readonly Item[]): Promise<readonly Outcome[]>;
  alone(item: Item): Promise<Outcome>;
  /** Whether what a shard has failed to do together may be done one by one: nothing of it has happened, or it may happen twice. */
  mayRetry(error: unknown): boolean;
}

export async function runRingBatch<Item, Outcome>(
  items: readonly Item[],
  { shardOf, together, alone, mayRetry }: RingBatchInit<Item, Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes = new Array<Outcome>(items.length);
  const onShards = new Map<Shard, number[]>();
  const onSeveral: number[] = [];
  items.forEach((item, index) => {
    const shard = shardOf(item);
    const indices = shard === undefined ? onSeveral : onShards.get(shard);
    if (indices !== undefined) indices.push(index);
    else onShards.set(shard!, [index]);
  });
  const oneByOne = (indices: readonly number[]) => {
    // The same group stays in order: each lane takes the next one, and the group's queue keeps the order they came in.
    let next = 0;
    const lane = async () => {
      for (let index = indices[next++]; index !== undefined; index = indices[next++]) {
        outcomes[index] = await alone(items[index]!);
      }
    };
    return Promise.all(Array.from({ length: Math.min(ONE_BY_ONE, indices.length) }, lane));
  };
  const onShard = async (shard: Shard, indices: readonly number[]) => {
    for (let from = 0; from < indices.length; from += TOGETHER) {
      const some = indices.slice(from, from + TOGETHER);
      try {
        const done = await together(
          shard,
          some.map((index) => items[index]!),
        );
        some.forEach((index, i) => {
          outcomes[index] = done[i]!;
        });
      } catch (error) {
        if (!mayRetry(error) || !isOfShard(error)) throw error;
        await oneByOne(some);
      }
    }
  };
  await Promise.all([...[...onShards].map(([shard, indices]) => onShard(shard, indices)), oneByOne(onSeveral)]);
  return outcomes;
}
