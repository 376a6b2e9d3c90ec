/** From a `--storage` URL to an open storage. */
import { join, resolve } from 'node:path';
import type { Clock, Observer } from '../core/index.ts';
import type { RegistryStorage } from './storage.ts';
import { parseStorageUrl } from './storage-url.ts';
import { openLmdbStorage } from './storages/lmdb.ts';
import { MemoryStorage } from './storages/memory.ts';
import { openPostgresStorage } from './storages/postgres.ts';
import { openRedisStorage } from './storages/redis.ts';

export interface OpenStorageOptions {
  /** Where `lmdb:` without a path lies: `<dataDir>/records`. A relative path is taken from the working directory. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** Told `warning`: what a storage's owner should know. */
  readonly observer: Observer;
  readonly signal?: AbortSignal | undefined;
}

/** @throws NautilusError `CONFIG_INVALID`, and what opening that storage throws */
export async function openStorage(url: string, options: OpenStorageOptions): Promise<RegistryStorage> {
  const { dataDir, clock, observer, signal } = options;
  const parsed = parseStorageUrl(url);
  switch (parsed.kind) {
    case 'memory':
      return new MemoryStorage({ clock, maxEntries: parsed.maxRecords, maxBytes: parsed.maxBytes });
    case 'lmdb': {
      const directory = parsed.path === undefined ? join(dataDir, 'records') : resolve(parsed.path);
      return openLmdbStorage({ directory, clock, signal });
    }
    case 'postgres':
      return openPostgresStorage({ ...parsed, clock, signal });
    case 'redis':
      return openRedisStorage({ ...parsed, clock, observer, signal });
  }
}
