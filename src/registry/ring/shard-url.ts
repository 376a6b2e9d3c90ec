/** What a `--storage` URL says about its place in a ring. The rest of it is the storage's own. */
import type { NautilusError } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';
import { isSecret, StorageUrlText } from '../storage-url-text.ts';
import { MAX_SHARDS } from './hash-ring.ts';

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
const MAX_COPIES = 2;

export interface ShardUrls {
  readonly shards: readonly ShardUrl[];
  readonly copies: number;
}

/**
 * All storages of a node: one, or those of a ring.
 * @throws NautilusError `CONFIG_INVALID`
 */
export function parseShardUrls(texts: readonly string[]): ShardUrls {
  const shards = texts.map(parseShardUrl);
  if (shards.length > MAX_SHARDS) throw together(`there are ${shards.length}, and at most ${MAX_SHARDS} make a ring`);
  const names = new Set<string>();
  for (const { name } of shards) {
    if (names.has(name)) throw together(`${name} is given twice; tell two apart with ?name=…`);
    names.add(name);
  }
  const copies = new Set(shards.flatMap((shard) => shard.copies ?? []));
  if (copies.size > 1) throw together('they say different things about ?copies=');
  if (shards.every(({ weight }) => weight === 0)) throw together('one of them must have a weight over 0');
  return { shards, copies: [...copies][0] ?? 1 };
}

/** @throws NautilusError `CONFIG_INVALID` */
export function parseShardUrl(given: string): ShardUrl {
  const text = new StorageUrlText(given);
  const { base, fields } = text;
  for (const field of RING_FIELDS) text.checkOnce(field);
  const own = new URLSearchParams([...fields].filter(([field]) => !RING_FIELDS.includes(field)));
  const named = new URLSearchParams([...own].filter(([field]) => !isSecret(field)));
  const name = fields.get('name') ?? text.publicBase + queryOf(named);
  if (!NAME_PATTERN.test(name))
    throw text.refusal('its name must be 1 to 200 printable characters without blanks: give ?name=…');
  // As it was given, where it can be: storages may read their fields their own way.
  const isOwn = own.size === fields.size;
  return {
    url: isOwn ? given : base + queryOf(own),
    name,
    weight: text.wholeNumber('weight', 0, MAX_WEIGHT) ?? 1,
    copies: text.wholeNumber('copies', 1, MAX_COPIES),
  };
}

function queryOf(fields: URLSearchParams): string {
  return fields.size === 0 ? '' : `?${fields}`;
}

export function together(problem: string): NautilusError {
  return misconfigured(`these storages cannot be used together: ${problem}`);
}
