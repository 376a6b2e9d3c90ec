/**
 * The unit of everything: a signed header and, usually, its value. The header carries the value's hash, so that digests, audits, renewals
 * and floors can be checked without the value.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Key } from './key.ts';

export const RECORD_VERSION = 1;
export const SIGNATURE_BYTES = 64;

export interface RecordHeader {
  readonly key: Key;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publisher: Uint8Array;
  /** Microseconds of a hybrid logical clock; 0 for immutable keys. */
  readonly seq: number;
  /** ms since the epoch; from then on nobody returns the record. */
  readonly expiresAt: number;
  /** A tombstone of this publisher's record. */
  readonly deleted: boolean;
  /** sha256 of the value, 32 bytes. */
  readonly valueHash: Uint8Array;
  /** Ed25519 over `encodeSignedHeader`, 64 bytes. */
  readonly signature: Uint8Array;
}

/** A header whose value may be elsewhere: a renewal on the wire, an answer to a digest read, a floor in a store. */
export interface HeldRecord {
  readonly header: RecordHeader;
  readonly value: Uint8Array | undefined;
}

/** What a put sends and a get returns. */
export interface SignedRecord extends HeldRecord {
  readonly value: Uint8Array;
}

export function hashValue(value: Uint8Array): Uint8Array {
  return sha256(value);
}

/** sha256 of the empty value: what every tombstone carries. */
export const EMPTY_VALUE_HASH: Uint8Array = sha256(new Uint8Array(0));

/** Live: may be returned to a reader at `now`. Tombstones and expired headers are kept but not live. */
export function isLive(header: RecordHeader, now: number): boolean {
  return !header.deleted && header.expiresAt > now;
}
