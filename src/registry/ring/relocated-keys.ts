/**
 * Keys that changed their place while a scan was looking: where they are now it may have looked before they came, and where they were after they had
 * gone. It reads them one by one when it gets there.
 */
import { compareBytes } from '../../records/index.ts';
import { toByteText } from '../byte-text.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { ScanOptions } from '../storage.ts';
import { inRange } from './in-range.ts';

export class RelocatedKeys {
  readonly #range: Pick<ScanOptions, 'prefix' | 'after'>;
  // BOUNDED: by what can be moved while one page of a scan is read.
  readonly #keys = new Map<string, Uint8Array>();
  readonly #order = new SortedKeys();
  #passed: Uint8Array | undefined;

  constructor(range: Pick<ScanOptions, 'prefix' | 'after'>) {
    this.#range = range;
  }

  /** Before it lies anywhere else. */
  add(key: Uint8Array): void {
    const isAhead = this.#passed === undefined || compareBytes(key, this.#passed) > 0;
    const text = toByteText(key);
    if (!isAhead || !inRange(key, this.#range) || this.#keys.has(text)) return;
    this.#keys.set(text, key.slice());
    this.#order.add(text);
  }

  /** The first one ahead. */
  head(): Uint8Array | undefined {
    for (const text of this.#order.from('')) return this.#keys.get(text);
    return undefined;
  }

  /** @returns whether the key has changed its place */
  pass(key: Uint8Array): boolean {
    this.#passed = key;
    const text = toByteText(key);
    if (!this.#keys.delete(text)) return false;
    this.#order.delete(text);
    return true;
  }
}
