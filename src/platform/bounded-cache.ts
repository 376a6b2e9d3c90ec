/** A small least-recently-used map over Map's insertion order. Values are never undefined. */
import { assert } from '../core/index.ts';

export class BoundedCache<K, V> {
  // BOUNDED: by `capacity`; the entry that was not asked for the longest goes first.
  readonly #entries = new Map<K, V>();
  readonly #capacity: number;

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, 'a cache holds at least one entry');
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value as K);
  }
}
