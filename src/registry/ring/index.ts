/**
 * A folder of the registry: several storages as one, a ring of shards that fail one at a time. Start reading at ring-storage.ts (what a ring does
 * when it is asked), then group-settler.ts and group-access.ts (what happens to keys whose shard was away), then ring-work.ts (what it does by itself).
 * A shard is an actor (shard.ts) with an inbox (job-queue.ts) and a circuit (circuit-breaker.ts); where keys lie is hash-ring.ts and ring-layout.ts;
 * what waits where hint.ts, hint-index.ts and ring-notes.ts; what a ring is made of ring-document.ts and plan-ring.ts.
 */

export { checkAlone } from './check-alone.ts';
export { isReserved } from './hint.ts';
export { type OpenRingOptions, openRing } from './open-ring.ts';
export type { Ring } from './ring.ts';
export { parseShardUrl, parseShardUrls, type ShardUrl } from './shard-url.ts';
