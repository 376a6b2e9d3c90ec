/** Door of `registry`: the local store under a node, useful on its own. */
export {
  absoluteUrls,
  openExchangeable,
  type StorageExchanger,
  type StorageNaming,
  storageNaming,
} from './exchange/index.ts';
export { openRegistry } from './open-registry.ts';
export { openStorage } from './open-storage.ts';
export { checkStorageUrl, openStorages } from './open-storages.ts';
export type { Registry } from './registry.ts';
export type { RegistryLimits } from './registry-limits.ts';
export {
  type OpenRingOptions,
  openRing,
  parseShardUrls,
  type Ring,
} from './ring/index.ts';
export { createStateStore } from './state-store.ts';
export type * from './storage.ts';
export { parseStorageUrl } from './storage-url.ts';
export { openLmdbStorage } from './storages/lmdb.ts';
export { MEMORY_ENTRY_OVERHEAD_BYTES, MemoryStorage } from './storages/memory.ts';
export { openPostgresStorage } from './storages/postgres.ts';
export { openRedisStorage } from './storages/redis.ts';
