/** The numbers of the wire and the limits every decoder applies. Changing one of the numbers makes another protocol. */
import { CELL_ID_BYTES, type NetworkConstants } from '../records/index.ts';

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
export const TYPE_SYNC = 5;
export const TYPE_FETCH = 6;
export const TYPE_HAND_OFF = 7;
export const TYPE_LEAVE = 8;

export const MAX_REQUEST_ID = 0xffff_ffff;
export const ID_BYTES = 32;
export const CELL_ID_BITS = CELL_ID_BYTES * 8;

/** Addresses one contact can have on the wire; a sender tells the first ones. */
export const MAX_ADDRESSES = 8;
/** Characters: a DNS name has up to 253. */
export const MAX_ADDRESS_LENGTH = 256;
export const MAX_FEATURES = 32;
export const MAX_FEATURE_LENGTH = 64;
/** Headers in one answer. With the largest keys, one largest value and K contacts the frame still fits. */
export const MAX_HEADERS = 200;

/** What stands for all cells of a range in a comparison. */
export const DIGEST_BYTES = 16;
/** Ranges one SYNC or FETCH can name. */
export const MAX_RANGES = 512;
/** Cell versions in one answer to SYNC, over all its parts. */
export const MAX_SYNC_CELLS = 1_024;
/** Records in one HAND_OFF or answer to FETCH. */
export const MAX_RECORDS = 256;
/** What a sender puts into one of these at most, by `recordBytes`; a first record always fits. Half a frame: they are not to hold up others. */
export const RECORDS_BUDGET_BYTES = 128 * 1024;

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
