/** `--storage` URLs: which storage, where, and how large. Knows the form only; open-storage.ts opens it. */
import { StorageUrlText } from './storage-url-text.ts';
import { type PostgresUrl, parsePostgresUrl } from './storages/postgres-url.ts';
import { parseRedisUrl, type RedisUrl } from './storages/redis-url.ts';

export type StorageUrl =
  | { readonly kind: 'memory'; readonly maxRecords: number | undefined; readonly maxBytes: number | undefined }
  /** `path` undefined: in the data directory. */
  | { readonly kind: 'lmdb'; readonly path: string | undefined }
  | PostgresUrl
  | RedisUrl;

const KNOWN =
  'known are memory: (with ?maxRecords=… and &maxBytes=…), lmdb: (or lmdb:/path/to/directory) postgres://… and redis://…';

/** @throws NautilusError `CONFIG_INVALID`, naming the field */
export function parseStorageUrl(url: string): StorageUrl {
  const text = new StorageUrlText(url);
  const [, scheme = '', path = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(text.base) ?? [];
  switch (scheme.toLowerCase()) {
    case 'memory':
      if (path !== '') throw text.refusal(`memory: has no path, but "${path}" was given`);
      text.checkFields(['maxRecords', 'maxBytes']);
      return { kind: 'memory', maxRecords: limit(text, 'maxRecords'), maxBytes: limit(text, 'maxBytes') };
    case 'lmdb':
      text.checkFields([]);
      if (path.includes('\0')) throw text.refusal('its path has a NUL character');
      return { kind: 'lmdb', path: path === '' ? undefined : path };
    case 'postgres':
    case 'postgresql':
      return parsePostgresUrl(text);
    case 'redis':
    case 'rediss':
      return parseRedisUrl(text);
    default:
      throw text.refusal(scheme === '' ? `it has no scheme; ${KNOWN}` : `the scheme "${scheme}:" is unknown; ${KNOWN}`);
  }
}

function limit(text: StorageUrlText, name: string): number | undefined {
  return text.wholeNumber(name, 1, Number.MAX_SAFE_INTEGER);
}
