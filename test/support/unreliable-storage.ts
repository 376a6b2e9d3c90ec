/** A storage that can be made to fail, hang, or do what it is told and fail all the same: for whatever has to go around one that does. */
import { NautilusError } from '../../src/core/index.ts';
import type { RegistryStorage } from '../../src/registry/index.ts';

export type Mood =
  | 'well'
  /** Refuses before anything is done. */
  | 'failing'
  /** Does it, and says it failed. */
  | 'lying'
  /** Never answers; does nothing. */
  | 'hanging';

export interface UnreliableStorage {
  readonly storage: RegistryStorage;
  mood: Mood;
  /** Calls that reached it, in whatever mood. */
  readonly calls: number;
}

export function unreliableStorage(base: RegistryStorage): UnreliableStorage {
  const failure = () => new NautilusError('STORAGE_FAILED', 'the test wants it to fail: be patient');
  const state = { mood: 'well' as Mood, calls: 0 };
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    state.calls++;
    switch (state.mood) {
      case 'well':
        return work();
      case 'failing':
        throw failure();
      case 'lying':
        await work();
        throw failure();
      case 'hanging':
        return new Promise<never>(() => undefined);
    }
  };
  const storage: RegistryStorage = {
    name: base.name,
    capabilities: base.capabilities,
    retrieve: (key, options) => through(() => base.retrieve(key, options)),
    retrieveBatch: (keys, options) => through(() => base.retrieveBatch(keys, options)),
    storeIf: (operation, options) => through(() => base.storeIf(operation, options)),
    storeIfBatch: (operations, options) => through(() => base.storeIfBatch(operations, options)),
    store: (key, entry, options) => through(() => base.store(key, entry, options)),
    remove: (key, options) => through(() => base.remove(key, options)),
    contains: (key, options) => through(() => base.contains(key, options)),
    scan: (options) => through(() => base.scan(options)),
    size: (options) => through(() => base.size(options)),
    // The ring closes its shards; what they hold has to outlive it.
    close: async () => undefined,
  };
  return {
    storage,
    get mood() {
      return state.mood;
    },
    set mood(mood: Mood) {
      state.mood = mood;
    },
    get calls() {
      return state.calls;
    },
  };
}
