/**
 * The bytes under a signature: CBOR array
 * `["nautilus-record-v1", network, key, class, sha256(value), publisher, seq, expiresAt, deleted]` in the deterministic encoding of RFC 8949
 * §4.2.1 (shortest integers, definite lengths). Encoded by hand because general codecs write large integers as floats. Nothing decodes these
 * bytes: a received record is re-encoded, never trusted as bytes. Golden vectors: test/fixtures/signed-headers.json.
 */
import { assert } from '../core/index.ts';
import { utf8Encode } from './bytes.ts';
import type { RecordHeader } from './record.ts';

const RECORD_CONTEXT = 'nautilus-record-v1';

export function encodeSignedHeader(network: string, header: Omit<RecordHeader, 'signature'>): Uint8Array {
  const parts = [
    head(4, 9),
    ...text(RECORD_CONTEXT),
    ...text(network),
    ...text(header.key.text),
    ...text(header.key.class),
    ...bytes(header.valueHash),
    ...bytes(header.publisher),
    head(0, header.seq),
    head(0, header.expiresAt),
    Uint8Array.of(header.deleted ? 0xf5 : 0xf4),
  ];
  const encoded = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    encoded.set(part, offset);
    offset += part.length;
  }
  return encoded;
}

function text(value: string): [Uint8Array, Uint8Array] {
  const encoded = utf8Encode(value);
  return [head(3, encoded.length), encoded];
}

function bytes(value: Uint8Array): [Uint8Array, Uint8Array] {
  return [head(2, value.length), value];
}

/** Major type and argument (RFC 8949 §3), shortest form. */
function head(major: number, argument: number): Uint8Array {
  assert(Number.isSafeInteger(argument) && argument >= 0, 'a CBOR head needs a natural number');
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  if (argument <= 0xff) return Uint8Array.of(type | 24, argument);
  const head = argument <= 0xffff ? 2 : argument <= 0xffff_ffff ? 4 : 8;
  const encoded = new Uint8Array(1 + head);
  const view = new DataView(encoded.buffer);
  encoded[0] = type | (head === 2 ? 25 : head === 4 ? 26 : 27);
  if (head === 2) view.setUint16(1, argument);
  else if (head === 4) view.setUint32(1, argument);
  else view.setBigUint64(1, BigInt(argument));
  return encoded;
}
