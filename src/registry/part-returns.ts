/**
 * For a storage made of parts (a ring of shards): what a registry could not do while one of them was away, done when it is back. Not here: what that
 * is (registry.ts).
 */
import { type Clock, isNautilusError, type Timer } from '../core/index.ts';
import { CELL_ID_BYTES } from '../records/index.ts';
import type { Cell } from './cell-ledger.ts';
import { scanCells } from './scan-cells.ts';
import type { PartChange, RegistryStorage, StorageEntry, StorageParts } from './storage.ts';

export interface PartReturnsComponents {
  readonly storage: RegistryStorage;
  readonly parts: StorageParts;
  readonly clock: Clock;
  /** They may be looked at again. */
  onReturned(cells: Iterable<Cell>): void;
  /** Cells in it may be gone. */
  onEmptied(part: string): void;
  /** A cell is another one than was written last. */
  onMerged(key: Uint8Array): void;
  /** One that could not be read at the start. */
  onFound(key: Uint8Array, entry: StorageEntry): Promise<void>;
}

const RETRY_MS = 5_000;

export class PartReturns {
  readonly #components: PartReturnsComponents;
  // BOUNDED: by the parts. Those whose cells were never read.
  readonly #unread = new Set<string>();
  // BOUNDED: by the cells.
  #waiting = new Set<Cell>();
  readonly #closing = new AbortController();
  #unsubscribe: () => void = () => undefined;
  #isLoading = false;
  #reading: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(components: PartReturnsComponents) {
    this.#components = components;
  }

  /** Before everything is read: what is away then has to be read later. */
  watch(): void {
    const { parts } = this.#components;
    this.#isLoading = true;
    this.#unsubscribe = parts.subscribe((change) => this.#changed(change));
    for (const part of parts.away()) this.#unread.add(part);
  }

  /** After it: what has gone meanwhile may have been read in part. */
  loaded(): void {
    this.#isLoading = false;
    for (const part of this.#components.parts.away()) this.#unread.add(part);
    this.#read();
  }

  /** What is to be done with it has to wait for a part. */
  wait(cell: Cell): void {
    this.#waiting.add(cell);
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#timer?.cancel();
    this.#closing.abort();
    await this.#reading;
  }

  #changed(change: PartChange): void {
    const { onMerged, onReturned, onEmptied } = this.#components;
    if (change.kind === 'merged') {
      if (change.key.length === CELL_ID_BYTES) onMerged(change.key);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = new Set();
    onReturned(waiting);
    if (change.isEmptied) onEmptied(change.part);
    if (this.#isLoading) this.#unread.add(change.part);
    else this.#read();
  }

  #read(): void {
    this.#reading ??= this.#readUnread().finally(() => {
      this.#reading = undefined;
    });
  }

  async #readUnread(): Promise<void> {
    const { storage, parts, clock, onFound } = this.#components;
    const { signal } = this.#closing;
    for (const part of this.#unread) {
      if (parts.away().includes(part)) continue;
      try {
        for await (const { key, ...entry } of scanCells(storage, { part, isPresentOnly: true, signal })) {
          await onFound(key, entry);
        }
        if (!parts.away().includes(part)) this.#unread.delete(part);
      } catch (error) {
        if (signal.aborted) return;
        if (!isNautilusError(error)) throw error;
        // It has gone again, or was busy.
        this.#timer ??= clock.setTimer(RETRY_MS, () => {
          this.#timer = undefined;
          this.#read();
        });
      }
    }
  }
}
