/**
 * The mark in a storage that is being copied to: whose half copy it is. Nobody starts on one by mistake, nobody copies over what is somebody
 * else's, and the same node may begin again where it was interrupted.
 */
import { isNautilusError, NautilusError, type Random, type StateStore } from '../../core/index.ts';
import { bytesEqual, toHex, utf8Decode, utf8Encode } from '../../records/index.ts';
import { misconfigured } from '../misconfigured.ts';
import type { RegistryStorage, StorageOptions } from '../storage.ts';

const MARK_KEY = utf8Encode('half of a migration');
const OWNER_KEY = 'storage-exchange-owner';

export function isMark(key: Uint8Array): boolean {
  return bytesEqual(key, MARK_KEY);
}

/** What this node's marks say; made once. */
export async function markOwner(state: StateStore, random: Random): Promise<string> {
  const kept = await state.get(OWNER_KEY);
  if (kept !== undefined) return utf8Decode(kept);
  const owner = toHex(random.bytes(16));
  await state.set(OWNER_KEY, utf8Encode(owner));
  return owner;
}

/** @throws NautilusError `CONFIG_INVALID` when the storage holds half of what another one has */
export async function checkWhole(storage: RegistryStorage, name: string, options?: StorageOptions): Promise<void> {
  try {
    if ((await storage.retrieve(MARK_KEY, options)) === undefined) return;
  } catch (error) {
    // A ring that cannot say, because a part is away, has been in use: it starts.
    if (isNautilusError(error, 'SHARD_DOWN')) return;
    throw error;
  }
  throw misconfigured(`${name} holds a copy that was not finished: give the --storage it was made from, or empty it`);
}

/** @throws NautilusError `CONFIG_INVALID` when something is in there that this node did not leave there */
export async function checkFree(storage: RegistryStorage, name: string, owner: string): Promise<void> {
  const mark = await storage.retrieve(MARK_KEY);
  if (mark === undefined ? (await storage.scan({ limit: 1 })).length === 0 : utf8Decode(mark.value) === owner) return;
  throw new NautilusError(
    'CONFIG_INVALID',
    `${name} already holds ${mark === undefined ? 'entries' : "another node's unfinished copy"}: empty it, or choose another one`,
    { details: { field: 'to' } },
  );
}

/** @throws NautilusError `STORAGE_FAILED` */
export async function setMark(storage: RegistryStorage, name: string, owner: string): Promise<void> {
  const entry = { value: utf8Encode(owner), version: 1, expiresAt: Number.MAX_SAFE_INTEGER };
  if ((await storage.store(MARK_KEY, entry)) === 'full') {
    throw new NautilusError('STORAGE_FAILED', `${name} is full: give it more room`);
  }
}

export async function removeMark(storage: RegistryStorage): Promise<void> {
  await storage.remove(MARK_KEY);
}
