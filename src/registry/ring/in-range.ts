import { compareBytes } from '../../records/index.ts';
import type { ScanOptions } from '../storage.ts';

/** Whether a scan asks for a key. */
export function inRange(key: Uint8Array, { prefix, after }: Pick<ScanOptions, 'prefix' | 'after'>): boolean {
  if (prefix !== undefined && compareBytes(key.subarray(0, prefix.length), prefix) !== 0) return false;
  return after === undefined || compareBytes(key, after) > 0;
}
