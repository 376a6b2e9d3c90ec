/** Door of `registry`: the local store under a node, useful on its own. */
export type * from './storage.ts';
export { MAX_STORAGE_KEY_BYTES } from './storage.ts';
export { MEMORY_ENTRY_OVERHEAD_BYTES, MemoryStorage, type MemoryStorageOptions } from './storages/memory.ts';
