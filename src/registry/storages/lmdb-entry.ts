/**
 * An entry as LMDB keeps it: `crc32 u32 ‖ version f64 ‖ expiresAt f64 ‖ value`, big-endian. LMDB has no checksums of its own: without this one
 * a damaged page would come back as somebody's value. The key is part of the sum, so that a value never answers for another key.
 */
import { crc32 } from 'node:zlib';
import type { StorageEntry } from '../storage.ts';

const HEAD_BYTES = 20;

export function encodeLmdbEntry(key: Uint8Array, entry: StorageEntry): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + entry.value.length);
  bytes.writeDoubleBE(entry.version, 4);
  bytes.writeDoubleBE(entry.expiresAt, 12);
  bytes.set(entry.value, HEAD_BYTES);
  bytes.writeUInt32BE(checksum(key, bytes), 0);
  return bytes;
}

/** Undefined when the bytes are not what was written under this key. The value is a view of `bytes`. */
export function decodeLmdbEntry(key: Uint8Array, bytes: Buffer): StorageEntry | undefined {
  if (bytes.length < HEAD_BYTES || bytes.readUInt32BE(0) !== checksum(key, bytes)) return undefined;
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + HEAD_BYTES, bytes.length - HEAD_BYTES);
  return { value, version: bytes.readDoubleBE(4), expiresAt: bytes.readDoubleBE(12) };
}

function checksum(key: Uint8Array, bytes: Buffer): number {
  // A plain view: a Buffer's own is half as dear again.
  const summed = new Uint8Array(bytes.buffer, bytes.byteOffset + 4, bytes.length - 4);
  return crc32(summed, crc32(key));
}
