/** The numbers of the wire and the limits every decoder applies. Changing one of the numbers makes another protocol. */
import type { NetworkConstants } from '../records/index.ts';

export const PROTOCOL_VERSION = 1;

/** Checked against the length prefix before anything is allocated, and by the sender before it writes. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** First element of a frame. */
export const KIND_HELLO = 0;
export const KIND_REQUEST = 1;
export const KIND_RESPONSE = 2;

/** Third element of a request or response. */
export const TYPE_ERROR = 0;
export const TYPE_PING = 1;
export const TYPE_FIND_NODE = 2;
export const TYPE_FIND_VALUE = 3;
export const TYPE_STORE = 4;

export const MAX_REQUEST_ID = 0xffff_ffff;
export const ID_BYTES = 32;

/** Addresses one contact can have on the wire; a sender tells the first ones. */
export const MAX_ADDRESSES = 8;
/** Characters: a DNS name has up to 253. */
export const MAX_ADDRESS_LENGTH = 256;
export const MAX_FEATURES = 32;
export const MAX_FEATURE_LENGTH = 64;
/** Headers in one answer. With the largest keys, one largest value and K contacts the frame still fits. */
export const MAX_HEADERS = 200;

/** What a decoder must know of the network to bound what it accepts. */
export type WireLimits = Pick<NetworkConstants, 'k' | 'maxKeyBytes' | 'maxValueBytes'>;

/** Why a frame cannot be used, for counters: a fixed set of short texts, never bytes of the peer. */
export interface InvalidFrame {
  readonly kind: 'invalid';
  readonly reason: string;
}

export function invalid(reason: string): InvalidFrame {
  return { kind: 'invalid', reason };
}

export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}
