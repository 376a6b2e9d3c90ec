/**
 * Entries on disk in LMDB, the default. Writes of a turn share one transaction (group commit) and are acknowledged when it has reached the
 * disk; each `storeIf` looks and writes inside it, hence atomically. Reads are synchronous inside: memory-mapped pages.
 *
 * Differs from lmdb's defaults: no overlapping sync, so that a commit is durable when it resolves and a failed one rejects; no event-turn
 * batching, whose promise nobody could catch when a commit fails.
 */
import type { RootDatabase } from 'lmdb';
import { type Clock, NautilusError } from '../../core/index.ts';
import type {
  RegistryStorage,
  ScanOptions,
  StorageCapabilities,
  StorageEntry,
  StorageOptions,
  StorageSize,
  StoredEntry,
  StoreIfOperation,
  StoreIfOutcome,
} from '../storage.ts';
import { assertStorageKey } from '../storage-key.ts';
import { DiskSpace } from './disk-space.ts';
import {
  diskFull,
  type LmdbDirectory,
  noteCleanClose,
  prepareLmdbDirectory,
  toDirectoryError,
} from './lmdb-directory.ts';
import { decodeLmdbEntry, encodeLmdbEntry } from './lmdb-entry.ts';
import { WriteQueue } from './write-queue.ts';

export interface LmdbStorageOptions {
  /** Made when absent, private to its owner. Nobody else may have it open: LMDB does not notice. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** ENOSPC, EDQUOT, MDB_MAP_FULL; EIO is what a short write is reported as. */
const DISK_FULL_CODES = new Set<unknown>([28, 122, -30792]);
const EIO = 5;
/** BOUNDED: expired entries one scan hands back to the disk. */
const MAX_RECLAIM = 1_000;

/**
 * After an unclean stop this starts a child process that reads everything once (about 3 s per million entries).
 * @throws NautilusError `CONFIG_INVALID` (of a newer version), `DATA_DIR_UNUSABLE`, `STORAGE_DAMAGED`, `DISK_FULL`, `STORAGE_FAILED`
 */
export async function openLmdbStorage({ directory, clock, signal }: LmdbStorageOptions): Promise<RegistryStorage> {
  const lmdb = await import('lmdb').catch((cause: unknown) => {
    throw new NautilusError(
      'STORAGE_FAILED',
      'the lmdb package cannot be loaded here: reinstall, or use --storage memory:',
      {
        cause,
      },
    );
  });
  const prepared = await prepareLmdbDirectory(directory, signal);
  try {
    const db = lmdb.open<Buffer, Uint8Array>({
      path: directory,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 1,
      maxReaders: 16,
      overlappingSync: false,
      eventTurnBatching: false,
      // Not in its type declarations.
      ...{ permissionsMode: 0o600 },
    });
    return new LmdbStorage(db, prepared, clock);
  } catch (error) {
    throw toOpenError(directory, error);
  }
}

function toOpenError(directory: string, error: unknown): unknown {
  const code = lmdbCode(error);
  if (DISK_FULL_CODES.has(code)) return diskFull(directory, error);
  const systemCode = code === 13 ? 'EACCES' : code === 30 ? 'EROFS' : code === 1 ? 'EPERM' : undefined;
  if (systemCode !== undefined)
    return toDirectoryError(directory, Object.assign(new Error(systemCode), { code: systemCode }));
  const reason = error instanceof Error ? error.message : String(error);
  return new NautilusError('STORAGE_FAILED', `the LMDB files in ${directory} cannot be opened: ${reason}`, {
    cause: error,
  });
}

class LmdbStorage implements RegistryStorage {
  readonly name = 'lmdb';
  readonly capabilities: StorageCapabilities = { persistent: true, durable: true, expires: false, shared: false };

  readonly #db: RootDatabase<Buffer, Uint8Array>;
  readonly #directory: LmdbDirectory;
  readonly #clock: Clock;
  readonly #space: DiskSpace;
  readonly #writes: WriteQueue;
  /** Of the transaction being filled: whether entries may grow. */
  #hasRoom = true;
  #closing: Promise<void> | undefined;

  constructor(db: RootDatabase<Buffer, Uint8Array>, directory: LmdbDirectory, clock: Clock) {
    this.#db = db;
    this.#directory = directory;
    this.#clock = clock;
    this.#space = new DiskSpace(directory.path, clock);
    this.#writes = new WriteQueue((bytes, fill) => this.#commit(bytes, fill));
  }

  async retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined> {
    this.#check([key], options);
    return this.#read(key);
  }

  async retrieveBatch(
    keys: readonly Uint8Array[],
    options?: StorageOptions,
  ): Promise<readonly (StorageEntry | undefined)[]> {
    this.#check(keys, options);
    return keys.map((key) => this.#read(key));
  }

  async storeIf(operation: StoreIfOperation, options?: StorageOptions): Promise<StoreIfOutcome> {
    const [outcome] = await this.storeIfBatch([operation], options);
    return outcome!;
  }

  async storeIfBatch(
    operations: readonly StoreIfOperation[],
    options?: StorageOptions,
  ): Promise<readonly StoreIfOutcome[]> {
    this.#check(
      operations.map(({ key }) => key),
      options,
    );
    const encoded = operations.map(({ key, expected, entry }) => ({
      key: new Uint8Array(key),
      expected,
      bytes: encodeLmdbEntry(key, entry),
    }));
    const bytes = encoded.reduce((sum, operation) => sum + operation.key.length + operation.bytes.length, 0);
    const storeEach = () =>
      encoded.map((operation): StoreIfOutcome => {
        const current = this.#read(operation.key);
        if ((current?.version ?? 'absent') !== operation.expected) return { kind: 'mismatch', current };
        this.#put(operation.key, operation.bytes);
        return { kind: 'stored' };
      });
    return this.#writes.add({ count: encoded.length, bytes, run: storeEach }, options?.signal);
  }

  async store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'> {
    this.#check([key], options);
    const ownKey = new Uint8Array(key);
    const encoded = encodeLmdbEntry(key, entry);
    const put = () => this.#put(ownKey, encoded);
    await this.#writes.add({ count: 1, bytes: key.length + encoded.length, run: put }, options?.signal);
    return 'stored';
  }

  async remove(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    this.#check([key], options);
    const ownKey = new Uint8Array(key);
    const removeOne = () => {
      const wasThere = this.#read(ownKey) !== undefined;
      void this.#db.remove(ownKey);
      return wasThere;
    };
    return this.#writes.add({ count: 1, bytes: 0, run: removeOne }, options?.signal);
  }

  async contains(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    this.#check([key], options);
    return this.#read(key) !== undefined;
  }

  async scan({ prefix, after, limit, signal }: ScanOptions): Promise<readonly StoredEntry[]> {
    this.#check([], { signal });
    const isAfterPrefix = after !== undefined && (prefix === undefined || Buffer.compare(after, prefix) >= 0);
    const start = isAfterPrefix ? after : prefix;
    const now = this.#clock.now();
    const found: StoredEntry[] = [];
    const expired: Uint8Array[] = [];
    if (limit <= 0) return found;
    const range = start === undefined ? {} : { start, exclusiveStart: isAfterPrefix };
    for (const { key, value } of this.#db.getRange(range)) {
      if (prefix !== undefined && !startsWith(key, prefix)) break;
      const entry = this.#decode(key, value);
      if (entry.expiresAt > now) found.push({ key: new Uint8Array(key), ...entry });
      else if (expired.length < MAX_RECLAIM) expired.push(new Uint8Array(key));
      if (found.length >= limit) break;
    }
    if (expired.length > 0) this.#reclaim(expired);
    return found;
  }

  async size(options?: StorageOptions): Promise<StorageSize> {
    this.#check([], options);
    const { entryCount, pageSize, treeBranchPageCount, treeLeafPageCount, overflowPages } =
      this.#db.getStats() as LmdbStats;
    return { entries: entryCount, bytes: (treeBranchPageCount + treeLeafPageCount + overflowPages) * pageSize };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writes.idle();
    await this.#db.close();
    await noteCleanClose(this.#directory).catch(() => {
      // A full disk, say. Without the note the next start checks the file, which costs time and nothing else.
    });
  }

  #check(keys: readonly Uint8Array[], options: StorageOptions | undefined): void {
    if (this.#closing !== undefined) {
      throw new NautilusError('STORAGE_FAILED', `the storage in ${this.#directory.path} is closed: open it again`);
    }
    options?.signal?.throwIfAborted();
    keys.forEach(assertStorageKey);
  }

  #read(key: Uint8Array): StorageEntry | undefined {
    const bytes = this.#db.getBinary(key);
    const entry = bytes && this.#decode(key, bytes);
    return entry !== undefined && entry.expiresAt > this.#clock.now() ? entry : undefined;
  }

  #decode(key: Uint8Array, bytes: Buffer): StorageEntry {
    const entry = decodeLmdbEntry(key, bytes);
    if (entry !== undefined) return entry;
    const { path, dataFile } = this.#directory;
    throw new NautilusError(
      'STORAGE_DAMAGED',
      `${dataFile} is damaged (an entry with a wrong checksum): stop the node and restore ${path} from a copy, or move it away`,
      { details: { file: dataFile } },
    );
  }

  /** Inside a transaction. */
  #put(key: Uint8Array, bytes: Buffer): void {
    if (!this.#hasRoom && bytes.length > (this.#db.getBinary(key)?.length ?? 0)) throw diskFull(this.#directory.path);
    void this.#db.put(key, bytes);
  }

  async #commit(bytes: number, fill: () => void): Promise<void> {
    try {
      this.#hasRoom = bytes === 0 || (await this.#space.reserve(bytes));
      await this.#db.transaction(fill);
    } catch (error) {
      throw await this.#toWriteError(error);
    }
  }

  async #toWriteError(error: unknown): Promise<NautilusError> {
    const cause = await rootCause(error);
    const code = lmdbCode(cause);
    const { path } = this.#directory;
    if (DISK_FULL_CODES.has(code) || (code === EIO && (await this.#space.isExhausted()))) return diskFull(path, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new NautilusError('STORAGE_FAILED', `a write to ${path} failed (${reason}): check the disk`, { cause });
  }

  /** Gives the place of expired entries back, when it suits. */
  #reclaim(keys: readonly Uint8Array[]): void {
    const removeExpired = () => {
      const now = this.#clock.now();
      for (const key of keys) {
        const bytes = this.#db.getBinary(key);
        if (bytes !== undefined && this.#decode(key, bytes).expiresAt <= now) void this.#db.remove(key);
      }
    };
    this.#writes.add({ count: keys.length, bytes: 0, run: removeExpired }).catch(() => {
      // Nobody asked for it: the next scan meets them again.
    });
  }
}

interface LmdbStats {
  readonly entryCount: number;
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** lmdb rejects with a wrapper and hands out the reason as a promise of its own, which must be awaited by somebody. */
async function rootCause(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

function lmdbCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length && prefix.every((byte, index) => key[index] === byte);
}
