/** Headers and records as CBOR arrays, for the wire and the disk. Not the signed form: that is signed-header.ts. */
import { isNautilusError } from '../core/index.ts';
import { copyBytes } from './bytes.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { parseKey } from './key.ts';
import { PUBLIC_KEY_BYTES } from './publisher.ts';
import { type HeldRecord, RECORD_VERSION, type RecordHeader, SIGNATURE_BYTES } from './record.ts';

const HASH_BYTES = 32;

/** `[version, key, publisher, seq, expiresAt, deleted, valueHash, signature]` */
export function headerToFields(header: RecordHeader): unknown[] {
  const { key, publisher, seq, expiresAt, deleted, valueHash, signature } = header;
  return [RECORD_VERSION, key.text, publisher, seq, expiresAt, deleted, valueHash, signature];
}

export type ParsedHeader =
  | { readonly kind: 'header'; readonly header: RecordHeader }
  | { readonly kind: 'invalid'; readonly reason: 'MALFORMED' | 'UNSUPPORTED_VERSION' };

const MALFORMED: ParsedHeader = { kind: 'invalid', reason: 'MALFORMED' };

/** Checks shape and key form, nothing that needs a clock or a signature. Trailing fields of later builds are ignored. */
export function headerFromFields(fields: unknown, maxKeyBytes?: number): ParsedHeader {
  if (!Array.isArray(fields) || fields.length < 1) return MALFORMED;
  const [version, keyText, publisher, seq, expiresAt, deleted, valueHash, signature] = fields as unknown[];
  if (version !== RECORD_VERSION) return { kind: 'invalid', reason: 'UNSUPPORTED_VERSION' };
  if (typeof keyText !== 'string' || !isNatural(seq) || !isNatural(expiresAt) || typeof deleted !== 'boolean')
    return MALFORMED;
  if (!isBytes(publisher, PUBLIC_KEY_BYTES) || !isBytes(valueHash, HASH_BYTES) || !isBytes(signature, SIGNATURE_BYTES))
    return MALFORMED;
  try {
    const key = parseKey(keyText, maxKeyBytes);
    const header: RecordHeader = {
      key,
      publisher: copyBytes(publisher),
      seq,
      expiresAt,
      deleted,
      valueHash: copyBytes(valueHash),
      signature: copyBytes(signature),
    };
    return { kind: 'header', header };
  } catch (error) {
    if (isNautilusError(error, 'KEY_INVALID')) return MALFORMED;
    throw error;
  }
}

/** For the disk: the header's fields and the value or null. */
export function encodeHeldRecord(record: HeldRecord): Uint8Array {
  return encodeCbor([headerToFields(record.header), record.value ?? null]);
}

/** Undefined when the bytes are not what `encodeHeldRecord` wrote. */
export function decodeHeldRecord(bytes: Uint8Array): HeldRecord | undefined {
  const decoded = decodeCbor(bytes)?.value;
  if (!Array.isArray(decoded) || decoded.length < 2) return undefined;
  const [fields, value] = decoded as unknown[];
  const parsed = headerFromFields(fields);
  if (parsed.kind === 'invalid' || !(value === null || value instanceof Uint8Array)) return undefined;
  return { header: parsed.header, value: value === null ? undefined : copyBytes(value) };
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}
