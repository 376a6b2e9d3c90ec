/** Door of `registry`: the local store under a node, useful on its own. */
export { type OpenRegistryOptions, openRegistry } from './open-registry.ts';
export { type OpenStorageOptions, openStorage } from './open-storage.ts';
export type { Registry } from './registry.ts';
export { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from './registry-limits.ts';
export { createStateStore } from './state-store.ts';
export type * from './storage.ts';
export { MAX_STORAGE_KEY_BYTES } from './storage.ts';
export { parseStorageUrl, type StorageUrl } from './storage-url.ts';
export { type LmdbStorageOptions, openLmdbStorage } from './storages/lmdb.ts';
export { MEMORY_ENTRY_OVERHEAD_BYTES, MemoryStorage, type MemoryStorageOptions } from './storages/memory.ts';
