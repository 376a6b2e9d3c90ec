import type { StateStore } from '../../src/core/index.ts';

/** A state store that lasts as long as the test. */
export class MapStateStore implements StateStore {
  readonly #entries = new Map<string, Uint8Array>();

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#entries.get(key);
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    this.#entries.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  async *entries(prefix: string): AsyncIterable<{ readonly key: string; readonly value: Uint8Array }> {
    const keys = [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) yield { key, value: this.#entries.get(key) as Uint8Array };
  }
}
