/** What storages are known by across starts, and what an operator has to be told of them. No passwords in either. */
import { join, resolve } from 'node:path';
import { parseShardUrl, parseShardUrls, type ShardUrl } from '../ring/index.ts';
import { parseStorageUrl } from '../storage-url.ts';
import { StorageUrlText } from '../storage-url-text.ts';

export interface StorageNaming {
  /**
   * The same for the same storages, however they are written and whatever their weights are; in order of the alphabet.
   * @throws NautilusError `CONFIG_INVALID`
   */
  names(urls: readonly string[]): readonly string[];
  /** Of these, the ones whose entries outlive the process. */
  lastingNames(urls: readonly string[]): readonly string[];
  /** As `--storage` takes them, in their order and with all they say, but PASSWORD where one was. */
  shown(urls: readonly string[]): readonly string[];
}

export function storageNaming(dataDir: string): StorageNaming {
  const namesOf = (shards: readonly ShardUrl[]) =>
    shards.map((shard) => (kindOf(shard) === 'lmdb' ? lmdbName(shard.url, dataDir) : shard.name)).sort();
  return {
    names: (urls) => namesOf(parseShardUrls(urls).shards),
    lastingNames: (urls) => namesOf(urls.map(parseShardUrl).filter((shard) => kindOf(shard) !== 'memory')),
    shown: (urls) => absoluteUrls(urls, dataDir).map((url) => new StorageUrlText(url).shown),
  };
}

/** The same storages whatever the working directory is. */
export function absoluteUrls(urls: readonly string[], dataDir: string): readonly string[] {
  return urls.map((url) => {
    const { base } = new StorageUrlText(url);
    return /^lmdb:/i.test(base) ? lmdbName(base, dataDir) + url.slice(base.length) : url;
  });
}

/** In a sentence. */
export function listed(names: readonly string[]): string {
  return names.join(', ');
}

/** What to give at a start, in a sentence: `--storage memory:`. */
export function storageFlags(shown: readonly string[]): string {
  return shown.length === 1 ? `--storage ${shown[0]}` : `--storage for each of ${listed(shown)}`;
}

function kindOf({ url }: ShardUrl) {
  return parseStorageUrl(url).kind;
}

/** The one in the data directory goes where that goes. */
function lmdbName(url: string, dataDir: string): string {
  const path = url.slice('lmdb:'.length);
  return path === '' || resolve(path) === join(resolve(dataDir), 'records') ? 'lmdb:' : `lmdb:${resolve(path)}`;
}
