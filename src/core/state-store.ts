/**
 * Small durable state of one node: seq clock, saved table, own publications. Not for records of the network (that is RecordStore).
 * A resolved write has reached the disk. Rejects with `STORAGE_FAILED` or `DISK_FULL`.
 */
export interface StateStore {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  /** Entries whose key starts with `prefix`, in key order. */
  entries(prefix: string): AsyncIterable<{ readonly key: string; readonly value: Uint8Array }>;
}
