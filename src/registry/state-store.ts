/** A node's small durable state over any storage: text keys, entries that never expire, the last write wins. */
import { NautilusError, type StateStore } from '../core/index.ts';
import { utf8Decode, utf8Encode } from '../records/index.ts';
import type { RegistryStorage } from './storage.ts';

const SCAN_BATCH = 256;

/** Closing stays with the owner of `storage`. Keys have 1 to 512 bytes in UTF-8. */
export function createStateStore(storage: RegistryStorage): StateStore {
  return {
    async get(key) {
      return (await storage.retrieve(utf8Encode(key)))?.value;
    },
    async set(key, value) {
      const outcome = await storage.store(utf8Encode(key), { value, version: 1, expiresAt: Number.MAX_SAFE_INTEGER });
      if (outcome === 'full') {
        throw new NautilusError(
          'STORAGE_FAILED',
          `the ${storage.name} storage of this node's state is full: give it more room`,
        );
      }
    },
    async delete(key) {
      await storage.remove(utf8Encode(key));
    },
    async *entries(prefixText) {
      const prefix = utf8Encode(prefixText);
      let after: Uint8Array | undefined;
      for (;;) {
        const batch = await storage.scan({ prefix, limit: SCAN_BATCH, ...(after !== undefined && { after }) });
        for (const { key, value } of batch) yield { key: utf8Decode(key), value };
        if (batch.length < SCAN_BATCH) return;
        after = batch.at(-1)!.key;
      }
    },
  };
}
