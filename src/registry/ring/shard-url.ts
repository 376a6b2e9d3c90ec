/** What a `--storage` URL says about its place in a ring. The rest of it is the storage's own. */
import { NautilusError } from '../../core/index.ts';

export interface ShardUrl {
  /** Without the fields of the ring. */
  readonly url: string;
  /** What the shard is known by: it decides which keys it keeps. Without password. */
  readonly name: string;
  readonly weight: number;
  /** Undefined: this one does not say. */
  readonly copies: number | undefined;
}

const RING_FIELDS = ['name', 'weight', 'copies'];
const NAME_PATTERN = /^[\x21-\x7e]{1,200}$/;
const MAX_WEIGHT = 1_000;
export const MAX_COPIES = 2;

/** @throws NautilusError `CONFIG_INVALID` */
export function parseShardUrl(text: string): ShardUrl {
  const at = text.indexOf('?');
  const base = at === -1 ? text : text.slice(0, at);
  const fields = new URLSearchParams(at === -1 ? '' : text.slice(at + 1));
  for (const field of RING_FIELDS) {
    if (fields.getAll(field).length > 1) throw invalid(text, `the field "${field}" is given more than once`);
  }
  const own = new URLSearchParams([...fields].filter(([field]) => !RING_FIELDS.includes(field)));
  const query = own.size === 0 ? '' : `?${own}`;
  const name = fields.get('name') ?? withoutPassword(base + query);
  if (!NAME_PATTERN.test(name))
    throw invalid(text, 'its name must be 1 to 200 printable characters without blanks: give ?name=…');
  return {
    url: base + query,
    name,
    weight: number(text, fields, 'weight', 0, MAX_WEIGHT) ?? 1,
    copies: number(text, fields, 'copies', 1, MAX_COPIES),
  };
}

/** `redis://user:secret@host` → `redis://user@host`; for people, logs and names. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*):[^/?#]*@/i, '$1@');
}

function number(url: string, fields: URLSearchParams, field: string, least: number, most: number): number | undefined {
  const text = fields.get(field);
  if (text === null) return undefined;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw invalid(url, `the field "${field}" must be a whole number from ${least} to ${most}, not "${text}"`);
}

function invalid(url: string, problem: string): NautilusError {
  return new NautilusError('CONFIG_INVALID', `--storage "${withoutPassword(url)}" cannot be used: ${problem}`, {
    details: { field: 'storage' },
  });
}
