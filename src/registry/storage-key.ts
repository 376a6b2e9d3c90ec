import { assert } from '../core/index.ts';
import { MAX_STORAGE_KEY_BYTES } from './storage.ts';

/** Made once: keys are checked on every call. */
const KEY_LENGTH = `a storage key has 1 to ${MAX_STORAGE_KEY_BYTES} bytes`;

/** Another key is a bug of the caller. */
export function assertStorageKey({ length }: Uint8Array): void {
  assert(length > 0 && length <= MAX_STORAGE_KEY_BYTES, KEY_LENGTH);
}
