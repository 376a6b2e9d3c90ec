/** Values in JSON: text when the bytes are text, base64 otherwise. Nothing is lost either way. */
import { NautilusError } from '../core/index.ts';
import type { ValueEncoding } from './command-types.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;
const BASE64_PATTERN = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
// Why ignoreBOM: without it a leading byte order mark would be swallowed, and the text would not be the bytes.
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeValue(bytes: Uint8Array): { readonly value: string; readonly encoding: ValueEncoding } {
  try {
    return { value: STRICT_UTF8.decode(bytes), encoding: 'utf8' };
  } catch {
    // Not UTF-8: that is an answer, not a failure.
    return {
      value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
      encoding: 'base64',
    };
  }
}

/** @throws NautilusError `USAGE` for text that is not what its encoding says */
export function decodeValue(value: string, encoding: ValueEncoding = 'utf8'): Uint8Array {
  if (encoding === 'base64') {
    if (!BASE64_PATTERN.test(value))
      throw new NautilusError('USAGE', 'value: is not base64: pad it, without line breaks');
    return new Uint8Array(Buffer.from(value, 'base64'));
  }
  if (LONE_SURROGATE.test(value))
    throw new NautilusError('USAGE', 'value: is not valid Unicode text: send it as base64');
  return new TextEncoder().encode(value);
}
