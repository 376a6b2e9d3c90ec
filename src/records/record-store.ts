/** The store a holder keeps other people's records in. Implemented by `registry`; the simulator uses the same with its memory storage. */
import type { HeldRecord, SignedRecord } from './record.ts';
import type { RefusalReason } from './refusal.ts';

export type MergeOutcome =
  /** The store now holds this version; `until` is when it stops being returned, ms since the epoch. */
  | { readonly kind: 'stored'; readonly until: number; readonly newestSeq: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly newestSeq: number };

export interface RecordStore {
  /**
   * Joins a record the caller has verified. `newestSeq` is the newest of the key over all publishers afterwards. A resolved `stored` is
   * durable as far as the storage promises. Expired headers are taken as floors.
   * @throws NautilusError `STORAGE_FAILED`, `DISK_FULL`, `RESOURCE_EXHAUSTED`: then nothing is promised
   */
  merge(record: HeldRecord, options?: { readonly signal?: AbortSignal }): Promise<MergeOutcome>;

  /**
   * All cells of a key: live records with their values, tombstones and floors without. Empty means absent, a failure throws: the two are
   * never mixed up. A record past its expiry comes back as floor, whatever the storage still has.
   */
  read(keyId: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<readonly HeldRecord[]>;

  /** Live records in key-id order. BOUNDED: reads ahead one batch. */
  scan(options?: { readonly prefix?: string; readonly signal?: AbortSignal }): AsyncIterable<SignedRecord>;

  /** Live records and the bytes of their keys and values. */
  size(): { readonly records: number; readonly bytes: number };
}
