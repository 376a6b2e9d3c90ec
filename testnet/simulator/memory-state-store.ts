/** A node's small durable state in memory. It outlives the node's lives: a restart with state is handed the same one. */
import type { StateStore } from '../../src/core/index.ts';
import { copyBytes } from '../../src/records/index.ts';

export class MemoryStateStore implements StateStore {
  // BOUNDED: by what the node under test keeps.
  readonly #entries = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    const value = this.#entries.get(key);
    return Promise.resolve(value && copyBytes(value));
  }

  set(key: string, value: Uint8Array): Promise<void> {
    this.#entries.set(key, copyBytes(value));
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.#entries.delete(key);
    return Promise.resolve();
  }

  async *entries(prefix: string): AsyncGenerator<{ readonly key: string; readonly value: Uint8Array }, void> {
    for (const key of [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).sort()) {
      const value = this.#entries.get(key);
      if (value !== undefined) yield { key, value: copyBytes(value) };
    }
  }
}
