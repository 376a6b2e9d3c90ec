/**
 * An entry as LMDB keeps it: `crc32 u32 ‖ version f64 ‖ expiresAt f64 ‖ value`, big-endian. LMDB has no checksums of its own: without this one
 * a damaged page would come back as somebody's value. The key is part of the sum, so that a value never answers for another key.
 */
import { crc32 } from 'node:zlib';
import type { StorageEntry } from '../storage.ts';

const HEAD_BYTES = 20;

export function encodeLmdbEntry(key: Uint8Array, entry: StorageEntry): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + entry.value.length);
  const view = new DataView(bytes.buffer);
  view.setFloat64(4, entry.version);
  view.setFloat64(12, entry.expiresAt);
  bytes.set(entry.value, HEAD_BYTES);
  view.setUint32(0, checksum(key, bytes));
  return bytes;
}

/** Undefined when the bytes are not what was written under this key. The value is a view of `bytes`. */
export function decodeLmdbEntry(key: Uint8Array, bytes: Uint8Array): StorageEntry | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== checksum(key, bytes)) return undefined;
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + HEAD_BYTES, bytes.length - HEAD_BYTES);
  return { value, version: view.getFloat64(4), expiresAt: view.getFloat64(12) };
}

function checksum(key: Uint8Array, bytes: Uint8Array): number {
  return crc32(bytes.subarray(4), crc32(key));
}
