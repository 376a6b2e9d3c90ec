/** `--storage` URLs: which storage, where, and how large. Knows the form only; open-storage.ts opens it. */
import { NautilusError } from '../core/index.ts';
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
const FORM = /^([a-z][a-z0-9+.-]*):([^?]*)(?:\?(.*))?$/i;

/** @throws NautilusError `CONFIG_INVALID`, naming the field */
export function parseStorageUrl(url: string): StorageUrl {
  const [, scheme = '', path = '', query = ''] = FORM.exec(url) ?? [];
  const fields = new URLSearchParams(query);
  switch (scheme.toLowerCase()) {
    case 'memory':
      if (path !== '') throw invalid(url, `memory: has no path, but "${path}" was given`);
      onlyFields(url, fields, ['maxRecords', 'maxBytes']);
      return { kind: 'memory', maxRecords: limit(url, fields, 'maxRecords'), maxBytes: limit(url, fields, 'maxBytes') };
    case 'lmdb':
      onlyFields(url, fields, []);
      if (path.includes('\0')) throw invalid(url, 'its path has a NUL character');
      return { kind: 'lmdb', path: path === '' ? undefined : path };
    case 'postgres':
    case 'postgresql':
      return parsePostgresUrl(url);
    case 'redis':
    case 'rediss':
      return parseRedisUrl(url);
    default:
      throw invalid(url, scheme === '' ? `it has no scheme; ${KNOWN}` : `the scheme "${scheme}:" is unknown; ${KNOWN}`);
  }
}

function onlyFields(url: string, fields: URLSearchParams, known: readonly string[]): void {
  for (const name of fields.keys()) {
    if (!known.includes(name)) throw invalid(url, `the field "${name}" is unknown; ${KNOWN}`);
    if (fields.getAll(name).length > 1) throw invalid(url, `the field "${name}" is given more than once`);
  }
}

function limit(url: string, fields: URLSearchParams, name: string): number | undefined {
  const text = fields.get(name);
  if (text === null) return undefined;
  const value = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw invalid(url, `the field "${name}" must be a whole number from 1 on, not "${text}"`);
  return value;
}

function invalid(url: string, problem: string): NautilusError {
  return new NautilusError('CONFIG_INVALID', `--storage "${url}" cannot be used: ${problem}`, {
    details: { field: 'storage' },
  });
}
