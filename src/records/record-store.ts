/** The store a holder keeps other people's records in. Implemented by `registry`; the simulator uses the same with its memory storage. */
import type { CellRange } from './cell-range.ts';
import type { HeldRecord, RecordHeader, SignedRecord } from './record.ts';
import type { RefusalReason } from './refusal.ts';

export type MergeOutcome =
  /** The store now holds this version; `until` is when it stops being returned, ms since the epoch. */
  | { readonly kind: 'stored'; readonly until: number; readonly newestSeq: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly newestSeq: number };

/** A cell changed: what it holds now, or that nothing is left of it. */
export type CellChange =
  | { readonly kind: 'held'; readonly header: RecordHeader }
  | { readonly kind: 'gone'; readonly cellId: Uint8Array };

export interface RecordStore {
  /**
   * Joins a record the caller has verified. `newestSeq` is the newest of the key over all publishers afterwards. A resolved `stored` is
   * durable as far as the storage promises. Expired headers are taken as floors.
   * @throws NautilusError `STORAGE_FAILED`, `SHARD_DOWN`, `DISK_FULL`, `RESOURCE_EXHAUSTED`: then nothing is promised
   */
  merge(record: HeldRecord, options?: { readonly signal?: AbortSignal }): Promise<MergeOutcome>;

  /**
   * All cells of a key: live records with their values, tombstones and floors without. Empty means absent, a failure throws: the two are
   * never mixed up. A record past its expiry comes back as floor, whatever the storage still has.
   */
  read(keyId: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<readonly HeldRecord[]>;

  /**
   * Whether all that was acknowledged under a key can be read now. While part of the store is away, reading may throw, or find only what was written
   * since: then this node does not know what is the newest.
   */
  isWhole(keyId: Uint8Array): boolean;

  /** Live records in key-id order. BOUNDED: reads ahead one batch. */
  scan(options?: { readonly prefix?: string; readonly signal?: AbortSignal }): AsyncIterable<SignedRecord>;

  /**
   * Every cell of a range in the order of cell ids: live records with their values, tombstones and floors without. Cells that change meanwhile
   * may come as they were or as they are. Without a range, all that can be read: those in a part of the store that is away are told of when it is
   * back (`subscribe`); a range is read whole or not at all. BOUNDED: reads ahead one batch.
   */
  cells(options?: {
    /** @default all */
    readonly range?: CellRange | undefined;
    /** Only cells behind this one: 64 bytes. */
    readonly after?: Uint8Array | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<HeldRecord>;

  /**
   * Forgets whatever is held under a key, floors too: for copies others have taken over. Unlike a delete it leaves no trace and is nobody's
   * business. @returns cells forgotten
   * @throws like `merge`; some of the cells may be gone then
   */
  drop(keyId: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<number>;

  /**
   * Tells of every change of a cell, right after it is stored and before the `merge` or `drop` that made it resolves. That a live record becomes
   * a floor is none: its header stays what it was. @returns ends it
   */
  subscribe(listener: (change: CellChange) => void): () => void;

  /** Live records and the bytes of their keys and values. */
  size(): { readonly records: number; readonly bytes: number };
}
