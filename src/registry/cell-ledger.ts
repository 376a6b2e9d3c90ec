/** What the registry knows of every cell without asking the storage: its size and its next deadline. Keeps the totals exact. */
import type { HeapItem } from './deadline-heap.ts';
import type { Occupancy } from './registry-limits.ts';

export interface CellState {
  /** Bytes of the storage entry, key included. */
  readonly bytes: number;
  /** Bytes of key and value while the cell holds a live record. */
  readonly liveBytes: number | undefined;
  /** The expiry of the record held here was announced already (or never will be). */
  readonly isAnnounced: boolean;
  /** A write failed, and may have happened nevertheless: nobody was told. @default false */
  readonly isInDoubt?: boolean;
}

export interface Cell extends HeapItem {
  /** The cell's id, one character per byte. */
  readonly id: string;
  state: CellState;
}

const NOTHING: CellState = { bytes: 0, liveBytes: undefined, isAnnounced: false };

export class CellLedger {
  // BOUNDED: one entry per cell of the storage, which the registry's limits bound.
  readonly #cells = new Map<string, Cell>();
  /** Live records, and the bytes of their keys and values. */
  #records = 0;
  #liveBytes = 0;
  #bytes = 0;
  /** Newcomers that were admitted and are being written. */
  #reserved: Occupancy = { cells: 0, bytes: 0 };

  /** All cells: live records, tombstones and floors. */
  get cells(): number {
    return this.#cells.size;
  }

  /** Of all entries, those being written included. */
  get occupancy(): Occupancy {
    return { cells: this.#cells.size + this.#reserved.cells, bytes: this.#bytes + this.#reserved.bytes };
  }

  /** @returns gives the place back: the newcomer is tracked by then, or did not come */
  reserve(bytes: number): () => void {
    this.#hold(1, bytes);
    return () => this.#hold(-1, -bytes);
  }

  live(): { readonly records: number; readonly bytes: number } {
    return { records: this.#records, bytes: this.#liveBytes };
  }

  track(id: string, state: CellState): Cell {
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      cell = { id, state: NOTHING, deadline: 0, heapIndex: -1 };
      this.#cells.set(id, cell);
    }
    this.#replace(cell, state);
    return cell;
  }

  get(id: string): Cell | undefined {
    return this.#cells.get(id);
  }

  [Symbol.iterator](): Iterator<Cell> {
    return this.#cells.values();
  }

  forget(cell: Cell): void {
    this.#replace(cell, NOTHING);
    this.#cells.delete(cell.id);
  }

  #hold(cells: number, bytes: number): void {
    this.#reserved = { cells: this.#reserved.cells + cells, bytes: this.#reserved.bytes + bytes };
  }

  #replace(cell: Cell, state: CellState): void {
    const before = cell.state;
    cell.state = state;
    this.#bytes += state.bytes - before.bytes;
    this.#liveBytes += (state.liveBytes ?? 0) - (before.liveBytes ?? 0);
    this.#records += Number(state.liveBytes !== undefined) - Number(before.liveBytes !== undefined);
  }
}
