/**
 * The unit of placement and of order in a ring: keys that begin with the same 32 bytes. All cells of one record key are one group, so that reading
 * a key asks one shard. A shorter key is a group of its own.
 */
import { toByteText } from '../byte-text.ts';

export const GROUP_BYTES = 32;

/** The group of a key, as text of one character per byte, for maps and queues. */
export function groupOf(key: Uint8Array): string {
  return toByteText(key.length > GROUP_BYTES ? key.subarray(0, GROUP_BYTES) : key);
}
