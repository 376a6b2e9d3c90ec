/**
 * General CBOR for the wire and the disk (never under a signature, see signed-header.ts). What this build writes is a small part of the
 * format: natural numbers (large ones as float64), byte and text strings, arrays, booleans, null. Bytes from outside must be within that
 * part before the library sees them: it would allocate what a length field promises, build big integers from tags and follow any nesting.
 */
import { Decoder } from 'cbor-x';

export { encodeCbor } from './encode-cbor.ts';

const decoder = new Decoder({ useRecords: false });

/** Deepest nesting of arrays this build writes is 5. */
const MAX_DEPTH = 8;

/** Undefined for anything that is not one well-formed item of the part above. Byte strings may be views of `bytes`. */
export function decodeCbor(bytes: Uint8Array): { readonly value: unknown } | undefined {
  return itemEnd(bytes, 0, 0) === bytes.length ? { value: decoder.decode(bytes) as unknown } : undefined;
}

/** Offset behind the item at `start`, or -1 if it is malformed, truncated or outside the part of CBOR we write. */
function itemEnd(bytes: Uint8Array, start: number, depth: number): number {
  const initial = bytes[start];
  if (initial === undefined || depth > MAX_DEPTH) return -1;
  const major = initial >> 5;
  const info = initial & 0x1f;
  if (major === 7) {
    if (info >= 20 && info <= 22) return start + 1; // false, true, null
    return info === 27 && start + 9 <= bytes.length ? start + 9 : -1; // float64
  }
  if (major !== 0 && major !== 2 && major !== 3 && major !== 4) return -1;
  if (info > 26) return -1; // 8-byte arguments, reserved and indefinite forms
  const headBytes = info < 24 ? 1 : 1 + (1 << (info - 24));
  if (start + headBytes > bytes.length) return -1;
  let argument = info < 24 ? info : 0;
  for (let i = 1; i < headBytes; i++) argument = argument * 256 + (bytes[start + i] as number);
  let end = start + headBytes;
  if (major === 0) return end;
  if (major !== 4) return end + argument <= bytes.length ? end + argument : -1;
  // Every element takes at least a byte, so the count is bounded before anybody allocates for it.
  if (argument > bytes.length - end) return -1;
  for (let i = 0; i < argument && end !== -1; i++) end = itemEnd(bytes, end, depth + 1);
  return end;
}
