/**
 * What a storage backend implements, as small as can be. It knows bytes, versions and deadlines, nothing of records: the rules of merging
 * exist once, in `records`, and the registry loops them over `storeIf`.
 *
 * *Absent* is a value (`undefined`), *failed* is a rejection with `STORAGE_FAILED` or `DISK_FULL`: they are never mixed up.
 */

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
  /** The version the entry must have, or that there must be none. */
  readonly expected: number | 'absent';
  readonly entry: StorageEntry;
}

export interface ScanOptions extends StorageOptions {
  /** Only keys that start with these bytes. */
  readonly prefix?: Uint8Array;
  /** Only keys after this one, exclusive: the last key of the previous batch. */
  readonly after?: Uint8Array;
  /** BOUNDED: at most this many entries. */
  readonly limit: number;
}

export interface StorageCapabilities {
  /** Entries survive the process. */
  readonly persistent: boolean;
  /** A resolved write survives the process being killed. */
  readonly durable: boolean;
  /** The storage drops entries at `expiresAt` by itself. */
  readonly expires: boolean;
  /** Other processes may write to it too. */
  readonly shared: boolean;
}

export interface StorageSize {
  readonly entries: number;
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
  remove(key: Uint8Array, options?: StorageOptions): Promise<boolean>;
  contains(key: Uint8Array, options?: StorageOptions): Promise<boolean>;
  /** Unexpired entries in key order (bytewise). Keys written while a scan goes on may or may not appear. */
  scan(options: ScanOptions): Promise<readonly StoredEntry[]>;
  size(options?: StorageOptions): Promise<StorageSize>;
  /** Idempotent. Pending writes are finished first. */
  close(): Promise<void>;
}
