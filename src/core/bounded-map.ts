import { assert } from './assert.ts';

/** A map that forgets its least recently used entry: for what may be forgotten at the price of a little work. */
export class BoundedMap<K, V> {
  // BOUNDED: `limit` entries, least recently used first.
  readonly #entries = new Map<K, V>();
  readonly #limit: number;

  constructor(limit: number) {
    assert(Number.isInteger(limit) && limit > 0, 'a bounded map holds at least one entry');
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  /** As `get`, but it does not count as a use. */
  peek(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value as K);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
}
