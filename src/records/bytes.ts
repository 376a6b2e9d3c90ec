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

const ASCII = new TextDecoder();
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** The usual length, an id's or a public key's: no new one for each. */
const idDigits = new Uint8Array(64);

/**
 * By table: the library's base16 works bit by bit, and ids become map keys all the time (32 bytes, with its hash: 0.4 µs; put together from pairs of
 * digits 0.6, and the text stays a chain of 32 objects, a kilobyte).
 */
export function toHex(bytes: Uint8Array): string {
  const digits = bytes.length === 32 ? idDigits : new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    digits[2 * i] = HEX_DIGITS[byte >> 4] as number;
    digits[2 * i + 1] = HEX_DIGITS[byte & 15] as number;
  }
  return ASCII.decode(digits);
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
