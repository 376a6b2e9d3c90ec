/** Byte-string helpers every room above shares: comparing, copying, text forms. */
import { fromString } from 'uint8arrays/from-string';
import { toString as bytesToString } from 'uint8arrays/to-string';

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Lexicographic, a shorter prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** An own, plain Uint8Array: decoded byte strings may be views of a receive buffer that is about to be reused. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** By table: the library's base16 works bit by bit, and ids become map keys all the time (32 bytes: 0.4 against 1.3 µs). */
export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (let i = 0; i < bytes.length; i++) hex += HEX_PAIRS[bytes[i] as number];
  return hex;
}

/** @throws on anything but an even number of hex digits */
export function fromHex(text: string): Uint8Array {
  return fromString(text, 'base16');
}

export function utf8Encode(text: string): Uint8Array {
  return fromString(text, 'utf8');
}

export function utf8Decode(bytes: Uint8Array): string {
  return bytesToString(bytes, 'utf8');
}
