/**
 * How many servers there are besides this one, from what the table holds. Ids are uniform, so the part of the id space around our own id that
 * the table knows completely stands for the rest: C contacts that share b bits with us mean C·2^b in all. (Sampling the k nearest is the idea
 * of Manku et al. 2003; counting the whole known neighbourhood uses up to twice as many.)
 */

import type { BucketOccupancy } from './routing-table.ts';

/** Per bucket index, see `RoutingTable.occupancy`. Exact as long as no bucket is full: then the table holds everybody it met. */
export function estimateOthers(occupancy: readonly BucketOccupancy[]): number {
  const known = occupancy.reduce((sum, bucket) => sum + bucket.size, 0);
  const bits = occupancy.findLastIndex((bucket) => bucket.isFull) + 1;
  if (bits === 0) return known;
  const neighbours = occupancy.slice(bits).reduce((sum, bucket) => sum + bucket.size, 0);
  return Math.max(known, Math.round(neighbours * 2 ** bits));
}
