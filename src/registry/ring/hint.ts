/**
 * A write that could not reach its shard and waits in another one: what is to be done there, as an entry under a reserved key. Nothing of a ring
 * is kept under any other key than those made here. Not here: where hints wait (hint-index.ts), what becomes of them (ring-group.ts).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { assert } from '../../core/index.ts';
import { compareBytes, utf8Encode } from '../../records/index.ts';
import { MAX_STORAGE_KEY_BYTES, type StorageEntry } from '../storage.ts';

/** Sorts behind every cell but one in 2^16, and no cell has the length of any key that begins with it. */
const RESERVED = Uint8Array.of(0xff, 0xff, ...utf8Encode('nautilus-ring'), 0);
const HINT = 0x68;
const TAG_BYTES = 8;
const VERSION_AT = 1;
const EXPIRES_AT = 9;
const KEY_LENGTH_AT = 17;
const KEY_AT = 19;

/** Where each shard keeps the ring's document. */
export const DOCUMENT_KEY = Uint8Array.of(...RESERVED, 0x64);
/** All hints a shard keeps begin with it. */
export const HINT_PREFIX = Uint8Array.of(...RESERVED, HINT);

const KINDS = ['joined', 'replaced', 'removed'] as const;

export interface HintContent {
  /**
   * `joined`: made by `storeIf`, to be merged with whatever the shard holds. `replaced` and `removed` were not conditional, and stand for whatever the shard
   * held before: what comes after them must not be written before them.
   */
  readonly kind: (typeof KINDS)[number];
  readonly key: Uint8Array;
  /** What was written; meaningless when removed. Its own expiry: the hint itself never expires, or something older would come back. */
  readonly entry: StorageEntry;
}

const NOTHING: StorageEntry = { value: new Uint8Array(0), version: 0, expiresAt: 0 };

export function removal(key: Uint8Array): HintContent {
  return { kind: 'removed', key, entry: NOTHING };
}

export function isReserved(key: Uint8Array): boolean {
  return key.length >= RESERVED.length && compareBytes(key.subarray(0, RESERVED.length), RESERVED) === 0;
}

/** Stands for a shard's name in keys. */
export function shardTag(name: string): Uint8Array {
  return sha256(utf8Encode(name)).slice(0, TAG_BYTES);
}

/** One hint per key and shard it is for. */
export function hintKey(tag: Uint8Array, key: Uint8Array): Uint8Array {
  return Uint8Array.of(...HINT_PREFIX, ...tag, ...sha256(key));
}

export function tagOfHintKey(key: Uint8Array): Uint8Array {
  return key.slice(HINT_PREFIX.length, HINT_PREFIX.length + TAG_BYTES);
}

export function encodeHint({ kind, key, entry }: HintContent): StorageEntry {
  assert(key.length <= MAX_STORAGE_KEY_BYTES, 'a hint is for a key that a storage takes');
  const value = new Uint8Array(KEY_AT + key.length + entry.value.length);
  const view = new DataView(value.buffer);
  view.setUint8(0, KINDS.indexOf(kind));
  view.setFloat64(VERSION_AT, entry.version);
  view.setFloat64(EXPIRES_AT, entry.expiresAt);
  view.setUint16(KEY_LENGTH_AT, key.length);
  value.set(key, KEY_AT);
  value.set(entry.value, KEY_AT + key.length);
  return { value, version: 1, expiresAt: Number.MAX_SAFE_INTEGER };
}

/** Undefined: it is none. */
export function decodeHint({ value }: StorageEntry): HintContent | undefined {
  if (value.length < KEY_AT) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const kind = KINDS[view.getUint8(0)];
  const keyEnd = KEY_AT + view.getUint16(KEY_LENGTH_AT);
  if (kind === undefined || keyEnd === KEY_AT || keyEnd > value.length) return undefined;
  const entry = {
    value: value.slice(keyEnd),
    version: view.getFloat64(VERSION_AT),
    expiresAt: view.getFloat64(EXPIRES_AT),
  };
  return { kind, key: value.slice(KEY_AT, keyEnd), entry };
}
