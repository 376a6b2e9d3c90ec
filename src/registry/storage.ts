/**
 * What a storage backend implements, as small as can be. It knows bytes, versions and deadlines, nothing of records: the rules of merging
 * exist once, in `records`, and the registry loops them over `storeIf`.
 *
 * *Absent* is a value (`undefined`), *failed* is a rejection with `STORAGE_FAILED`, `DISK_FULL` or (of a ring) `SHARD_DOWN`: they are never
 * mixed up.
 *
 * Rules for every method, proven by the suite in storage-conformance.ts:
 * - Keys have 1 to `MAX_STORAGE_KEY_BYTES` bytes, values 0 to 2^20; another key is a bug of the caller and rejects.
 * - Bytes handed in belong to the caller again once the promise is settled; bytes handed out belong to whoever got them.
 * - An aborted signal rejects with its reason. A write that was already handed on may still happen: aborting means "I stopped waiting".
 * - After `close()` everything but `close()` rejects with `STORAGE_FAILED`.
 */

/** Cells of the registry have 64; the rest is for state and for storages used on their own. */
export const MAX_STORAGE_KEY_BYTES = 512;

export interface StorageEntry {
  readonly value: Uint8Array;
  /** Set by the caller, 1 to 2^53 - 1; another one at each change of the entry. */
  readonly version: number;
  /** ms since the epoch; from then on the storage may drop the entry and must not return it. */
  readonly expiresAt: number;
}

export interface StoredEntry extends StorageEntry {
  readonly key: Uint8Array;
}

export interface StorageOptions {
  readonly signal?: AbortSignal | undefined;
}

export type StoreIfOutcome =
  | { readonly kind: 'stored' }
  /** Somebody else was faster: what is there now (undefined: absent). Nothing was changed. */
  | { readonly kind: 'mismatch'; readonly current: StorageEntry | undefined }
  /** The storage is bounded, full, and does not evict. Nothing was changed. */
  | { readonly kind: 'full' };

export interface StoreIfOperation {
  readonly key: Uint8Array;
  /** The version the entry must have, or that there must be none. An expired entry is none. */
  readonly expected: number | 'absent';
  readonly entry: StorageEntry;
}

export interface ScanOptions extends StorageOptions {
  /** Only keys that start with these bytes. */
  readonly prefix?: Uint8Array;
  /** Only keys after this one, exclusive: the last key of the previous batch. */
  readonly after?: Uint8Array;
  /** BOUNDED: at most this many entries. Fewer mean that there are no more. */
  readonly limit: number;
}

export interface StorageCapabilities {
  /** Entries survive the process. */
  readonly persistent: boolean;
  /** A resolved write survives the process being killed. */
  readonly durable: boolean;
  /** The storage frees the place of entries at `expiresAt` by itself; if not, somebody has to `remove` them. */
  readonly expires: boolean;
  /** Other processes may write to it too. */
  readonly shared: boolean;
}

export interface StorageSize {
  /** Where `expires` is false this may count expired entries that nobody removed yet. */
  readonly entries: number;
  /** Keys, values and whatever overhead the storage can tell. */
  readonly bytes: number;
}

/** Two versions of one entry become one; commutative, associative, idempotent. The result is one of them, or made of both. */
export type MergeEntries = (key: Uint8Array, current: StorageEntry, other: StorageEntry) => StorageEntry;

export type PartChange =
  /** The entry under this key is another one than was written last: two that did not know of each other were merged. */
  | { readonly kind: 'merged'; readonly key: Uint8Array }
  /** A part that was away can be read again. `isEmptied`: what only it had is gone. */
  | { readonly kind: 'returned'; readonly part: string; readonly isEmptied: boolean };

/** The further face of a storage made of several others (a ring of shards): parts of it may be away while the rest works. */
export interface StorageParts {
  /**
   * Whether all that was acknowledged under a key can be read now. While it cannot, reading rejects with `SHARD_DOWN`, or answers with what was
   * written since; `storeIf` cannot judge and takes the entry on trust, to be merged with what is there.
   */
  isWhole(key: Uint8Array): boolean;
  /** Whether a key's entry belongs in a part. */
  belongsIn(key: Uint8Array, part: string): boolean;
  /** Names of the parts that are away. */
  away(): readonly string[];
  /** As `scan`, without what cannot be read instead of rejecting. @param part only what lies there */
  scanPresent(options: ScanOptions, part?: string): Promise<readonly StoredEntry[]>;
  /** How entries that did not know of each other are merged. @default the higher version */
  mergeWith(merge: MergeEntries): void;
  /** Told of changes that no caller made. @returns ends it */
  subscribe(listener: (change: PartChange) => void): () => void;
}

export interface RegistryStorage {
  /** Only storages made of several others have it. */
  readonly parts?: StorageParts | undefined;
  /** Short name for people and logs, e.g. `memory`, `lmdb`. */
  readonly name: string;
  readonly capabilities: StorageCapabilities;

  retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined>;
  retrieveBatch(keys: readonly Uint8Array[], options?: StorageOptions): Promise<readonly (StorageEntry | undefined)[]>;
  /** Compare-and-set on the version: the one atomic primitive. */
  storeIf(operation: StoreIfOperation, options?: StorageOptions): Promise<StoreIfOutcome>;
  /** Each operation stands alone; outcomes in the same order. */
  storeIfBatch(operations: readonly StoreIfOperation[], options?: StorageOptions): Promise<readonly StoreIfOutcome[]>;
  /** Unconditional write: for local use and migrations, never for replicated records. */
  store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'>;
  /** True when there was an unexpired entry. */
  remove(key: Uint8Array, options?: StorageOptions): Promise<boolean>;
  contains(key: Uint8Array, options?: StorageOptions): Promise<boolean>;
  /** Unexpired entries in key order (bytewise, a shorter prefix first). Keys written while a scan goes on may or may not appear. */
  scan(options: ScanOptions): Promise<readonly StoredEntry[]>;
  size(options?: StorageOptions): Promise<StorageSize>;
  /** Idempotent. Pending writes are finished first. */
  close(): Promise<void>;
}
