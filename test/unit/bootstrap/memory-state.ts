/** A StateStore in a map. `failing` makes writes fail as a full disk does. */
import { NautilusError, type StateStore } from '../../../src/core/index.ts';

export class MemoryState implements StateStore {
  readonly values = new Map<string, Uint8Array>();
  writes = 0;
  failing = false;

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.values.get(key);
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    if (this.failing) throw new NautilusError('DISK_FULL', 'no space left');
    this.writes++;
    this.values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }

  async *entries(prefix: string): AsyncGenerator<{ key: string; value: Uint8Array }> {
    for (const [key, value] of this.values) if (key.startsWith(prefix)) yield { key, value };
  }
}
