/**
 * Keys and their classes. The class is decided by form alone, so that every holder decides alike:
 * `svc/web` open · `@<peerId>/config` owned · `sha256:<64 hex>` immutable. A malformed `@…` or `sha256:…` is refused, never open.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { NautilusError } from '../core/index.ts';
import { fromHex, utf8Encode } from './bytes.ts';
import { DEFAULT_NETWORK_CONSTANTS } from './network-constants.ts';
import { parsePeerIdText } from './publisher.ts';

export type KeyClass = 'open' | 'owned' | 'immutable';

export interface Key {
  readonly text: string;
  /** sha256 of the UTF-8 text: its place in the same 256-bit space as node ids. */
  readonly id: Uint8Array;
  readonly class: KeyClass;
  /** Owned keys: the only public key that may publish here. */
  readonly owner?: Uint8Array;
  /** Immutable keys: what sha256(value) must be. */
  readonly contentHash?: Uint8Array;
}

const OWNED_PATTERN = /^@([^/]+)\/(.+)$/su;
const IMMUTABLE_PATTERN = /^sha256:([0-9a-f]{64})$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const REPLACEMENT_CHARACTER = '\uFFFD';

const REMEMBERED_KEYS = 1_024;
// BOUNDED: REMEMBERED_KEYS each. The headers of one get name the same key twenty times, and those of a flood too: only sound keys are kept.
let recentKeys = new Map<string, Key>();
let olderKeys = new Map<string, Key>();

/**
 * Checks a key from outside. A pure function's memo saves most of the work for keys seen just now.
 * @throws NautilusError `KEY_INVALID` with the rule that is broken
 */
export function parseKey(text: string, maxBytes: number = DEFAULT_NETWORK_CONSTANTS.maxKeyBytes): Key {
  if (maxBytes !== DEFAULT_NETWORK_CONSTANTS.maxKeyBytes) return parseNewKey(text, maxBytes);
  const known = recentKeys.get(text) ?? olderKeys.get(text);
  if (known !== undefined) return known;
  const key = parseNewKey(text, maxBytes);
  if (recentKeys.size >= REMEMBERED_KEYS) {
    olderKeys = recentKeys;
    recentKeys = new Map();
  }
  recentKeys.set(text, key);
  return key;
}

function parseNewKey(text: string, maxBytes: number): Key {
  if (text.length === 0) throw invalid('is empty: a key has 1 to 512 bytes');
  // A UTF-16 unit is at least one byte: this bounds the work below before anything is encoded.
  if (text.length > maxBytes) throw invalid(`has over ${maxBytes} bytes: shorten it`);
  if (LONE_SURROGATE.test(text) || text.includes(REPLACEMENT_CHARACTER))
    throw invalid('is not valid UTF-8 (or holds U+FFFD)');
  if (text.normalize('NFC') !== text) throw invalid('is not in Unicode normal form C: normalize it');
  const bytes = utf8Encode(text);
  if (bytes.length > maxBytes) throw invalid(`has ${bytes.length} bytes, the limit is ${maxBytes}: shorten it`);
  const id = sha256(bytes);
  if (text.startsWith('@')) {
    const [, peerId] = OWNED_PATTERN.exec(text) ?? [];
    if (peerId === undefined) throw invalid('starts with "@" but is not @<peerId>/<name>');
    return { text, id, class: 'owned', owner: parseOwner(peerId) };
  }
  if (text.startsWith('sha256:')) {
    const [, hash] = IMMUTABLE_PATTERN.exec(text) ?? [];
    if (hash === undefined) throw invalid('starts with "sha256:" but is not followed by 64 lower-case hex digits');
    return { text, id, class: 'immutable', contentHash: fromHex(hash) };
  }
  return { text, id, class: 'open' };
}

function parseOwner(peerId: string): Uint8Array {
  try {
    return parsePeerIdText(peerId);
  } catch (cause) {
    throw invalid('starts with "@" but does not name a peer id like @12D3KooW…/<name>', cause);
  }
}

function invalid(problem: string, cause?: unknown): NautilusError {
  return new NautilusError('KEY_INVALID', `the key ${problem}`, { cause });
}
