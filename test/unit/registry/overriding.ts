/** The same storage with some of its methods exchanged: for storages that fail, are slow, or have another writer. */
import type { RegistryStorage } from '../../../src/registry/index.ts';

export function overriding(base: RegistryStorage, methods: Partial<RegistryStorage>): RegistryStorage {
  return {
    name: base.name,
    capabilities: base.capabilities,
    retrieve: (key, options) => base.retrieve(key, options),
    retrieveBatch: (keys, options) => base.retrieveBatch(keys, options),
    storeIf: (operation, options) => base.storeIf(operation, options),
    storeIfBatch: (operations, options) => base.storeIfBatch(operations, options),
    store: (key, entry, options) => base.store(key, entry, options),
    remove: (key, options) => base.remove(key, options),
    contains: (key, options) => base.contains(key, options),
    scan: (options) => base.scan(options),
    size: (options) => base.size(options),
    close: () => base.close(),
    ...methods,
  };
}
