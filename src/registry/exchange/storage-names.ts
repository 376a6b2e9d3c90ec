/** What storages are known by across starts: the same text for the same ones, no passwords, fit to be given as `--storage` again. */
import { join, resolve } from 'node:path';
import { parseShardUrls } from '../ring/index.ts';
import { parseStorageUrl } from '../storage-url.ts';
import { StorageUrlText } from '../storage-url-text.ts';

/** @throws NautilusError `CONFIG_INVALID` */
export function storageNames(urls: readonly string[], dataDir: string): string {
  const { shards } = parseShardUrls(urls);
  return shards
    .map(({ url, name }) => (parseStorageUrl(url).kind === 'lmdb' ? lmdbName(url, dataDir) : name))
    .sort()
    .join(' --storage ');
}

/** The same storages whatever the working directory is. */
export function absoluteUrls(urls: readonly string[], dataDir: string): readonly string[] {
  return urls.map((url) => {
    const { base } = new StorageUrlText(url);
    return /^lmdb:/i.test(base) ? lmdbName(base, dataDir) + url.slice(base.length) : url;
  });
}

/** The one in the data directory goes where that goes. */
function lmdbName(url: string, dataDir: string): string {
  const path = url.slice('lmdb:'.length);
  return path === '' || resolve(path) === join(resolve(dataDir), 'records') ? 'lmdb:' : `lmdb:${resolve(path)}`;
}
