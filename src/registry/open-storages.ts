/** From the `--storage` URLs of a node to what it keeps its records in: one storage as it is, several as a ring. */
import type { Clock, Observer, Random, StateStore } from '../core/index.ts';
import { storageNaming } from './exchange/index.ts';
import { misconfigured } from './misconfigured.ts';
import { openStorage } from './open-storage.ts';
import { checkAlone, openRing, parseShardUrl, parseShardUrls, type Ring } from './ring/index.ts';
import type { RegistryStorage } from './storage.ts';
import { parseStorageUrl } from './storage-url.ts';

/**
 * The form of one URL, fields of the ring included.
 * @throws NautilusError `CONFIG_INVALID`
 */
export function checkStorageUrl(text: string): void {
  parseStorageUrl(parseShardUrl(text).url);
}

export interface OpenStoragesOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** Durable, and none of the storages. */
  readonly state: StateStore;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedStorages {
  readonly storage: RegistryStorage;
  /** Undefined when there is only one. */
  readonly ring: Ring | undefined;
  /** For people: no passwords. */
  readonly names: readonly string[];
}

/** @throws NautilusError `CONFIG_INVALID`, and what opening a storage throws */
export async function openStorages(urls: readonly string[], options: OpenStoragesOptions): Promise<OpenedStorages> {
  const { dataDir, clock, random, observer, state, signal } = options;
  const { shards, copies } = parseShardUrls(urls);
  checkDistinct(urls, dataDir);
  const names = shards.map(({ name }) => name);
  const [first] = shards;
  if (first !== undefined && shards.length === 1) {
    const storage = await openStorage(first.url, { dataDir, clock, observer, signal });
    try {
      await checkAlone(storage, first.name);
    } catch (error) {
      await storage.close();
      throw error;
    }
    return { storage, ring: undefined, names };
  }
  const ring = await openRing({
    shards: shards.map(({ name, weight, url }) => ({
      name,
      weight,
      open: (given) => {
        const upTo = signal === undefined ? given : AbortSignal.any([given, signal]);
        return openStorage(url, { dataDir, clock, observer, signal: upTo });
      },
    })),
    copies,
    clock,
    random,
    observer,
    state,
  });
  return { storage: ring.storage, ring, names };
}

/** LMDB does not notice that a directory is open already, whatever the two are called. */
function checkDistinct(urls: readonly string[], dataDir: string): void {
  const names = storageNaming(dataDir).names(urls);
  const twice = names.find((name, index) => names[index - 1] === name);
  if (twice === undefined) return;
  throw misconfigured(`--storage ${twice} is given twice: give each shard a storage of its own`);
}
