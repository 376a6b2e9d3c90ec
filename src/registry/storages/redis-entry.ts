/**
 * An entry as Redis keeps it: `version f64 ‖ expiresAt f64 ‖ value`, big-endian, so that the scripts read the head with `struct.unpack('>dd')`.
 * No checksum: these bytes lie in a server's memory and in its own checked files, not in a mapped page.
 */
import type { StorageEntry } from '../storage.ts';

export const REDIS_HEAD_BYTES = 16;

/** @param lead bytes left free in front, for the caller */
export function encodeRedisEntry({ value, version, expiresAt }: StorageEntry, lead = 0): Buffer {
  const bytes = Buffer.allocUnsafe(lead + REDIS_HEAD_BYTES + value.length);
  bytes.writeDoubleBE(version, lead);
  bytes.writeDoubleBE(expiresAt, lead + 8);
  bytes.set(value, lead + REDIS_HEAD_BYTES);
  return bytes;
}

/** Undefined when these bytes are no entry. The value is a copy: `bytes` may be a view of something larger. */
export function decodeRedisEntry(bytes: Buffer): StorageEntry | undefined {
  const head = decodeRedisHead(bytes);
  return head && { value: new Uint8Array(bytes.subarray(REDIS_HEAD_BYTES)), ...head };
}

export function decodeRedisHead(bytes: Buffer): Omit<StorageEntry, 'value'> | undefined {
  if (bytes.length < REDIS_HEAD_BYTES) return undefined;
  const version = bytes.readDoubleBE(0);
  const expiresAt = bytes.readDoubleBE(8);
  return Number.isSafeInteger(version) && version > 0 && Number.isFinite(expiresAt)
    ? { version, expiresAt }
    : undefined;
}
