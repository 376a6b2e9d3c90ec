/**
 * What a storage backend implements, as small as can be. It knows bytes, versions and deadlines, nothing of records: the rules of merging
 * exist once, in `records`, and the registry loops them over `storeIf`.
 *
 * *Absent* is a value (`undefined`), *failed* is a rejection with `STORAGE_FAILED` or `DISK_FULL`: they are never mixed up.
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

export interface RegistryStorage {
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
