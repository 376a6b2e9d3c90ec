/** Records for tests of rooms below the signature: everything is right but the 64 bytes nobody there looks at. */
import {
  EMPTY_VALUE_HASH,
  type HeldRecord,
  hashValue,
  parseKey,
  type SignedRecord,
  utf8Encode,
} from '../../src/records/index.ts';

export interface UnsignedRecordInit {
  /** One byte repeated makes the public key. @default 1 */
  readonly publisher?: number;
  readonly value?: string | Uint8Array;
  readonly seq: number;
  /** ms since the epoch */
  readonly expiresAt: number;
  /** @default false */
  readonly deleted?: boolean;
}

export function unsignedRecord(key: string, init: UnsignedRecordInit): SignedRecord {
  const { publisher = 1, value = 'value', seq, expiresAt, deleted = false } = init;
  const bytes = deleted ? new Uint8Array(0) : typeof value === 'string' ? utf8Encode(value) : value;
  const header = {
    key: parseKey(key),
    publisher: new Uint8Array(32).fill(publisher),
    seq,
    expiresAt,
    deleted,
    valueHash: deleted ? EMPTY_VALUE_HASH : hashValue(bytes),
    signature: new Uint8Array(64).fill(publisher),
  };
  return { header, value: bytes };
}

/** What travels when the receiver is thought to have the value. */
export function headerOnly(record: HeldRecord): HeldRecord {
  return { header: record.header, value: undefined };
}
