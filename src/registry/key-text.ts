/** Keys as strings of one character per byte: what a Map can index, and what `<` compares bytewise. Not for people. */
import { assert } from '../core/index.ts';
import { MAX_STORAGE_KEY_BYTES } from './storage.ts';

export function toKeyText(key: Uint8Array): string {
  assert(key.length <= MAX_STORAGE_KEY_BYTES, `a storage key has at most ${MAX_STORAGE_KEY_BYTES} bytes`);
  // Spreading typed arrays goes through their iterator: six times as long.
  return Reflect.apply(String.fromCharCode, null, key);
}

export function fromKeyText(text: string): Uint8Array {
  const key = new Uint8Array(text.length);
  for (let i = 0; i < key.length; i++) key[i] = text.charCodeAt(i);
  return key;
}
