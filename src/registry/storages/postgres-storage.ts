/**
 * Entries in a schema of a PostgreSQL server. All writes go over one connection, in few statements (postgres-writes.ts), which also holds the
 * schema's lock (postgres-lock.ts); reads go over some more, and one is for what may take its time: counting and sweeping.
 *
 * Every call ends within its deadline, whatever the server does: a connection that does not answer is cut, and the next call makes a new one.
 * Not here: how connections are made (postgres.ts).
 */
import { assert, type Clock, NautilusError } from '../../core/index.ts';
import { compareBytes } from '../../records/index.ts';
import { toByteText } from '../byte-text.ts';
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
import { PostgresCall } from './postgres-call.ts';
import { toPostgresCallError } from './postgres-errors.ts';
import { PostgresReads } from './postgres-reads.ts';
import type { PostgresQuery, PostgresResult, PostgresSession } from './postgres-session.ts';
import { PostgresStatements, toStoredEntry } from './postgres-statements.ts';
import { PostgresSweep } from './postgres-sweep.ts';
import type { PostgresUrl } from './postgres-url.ts';
import { PostgresWrites } from './postgres-writes.ts';

export interface PostgresStorageComponents extends Pick<PostgresUrl, 'schema' | 'timeoutMs'> {
  readonly clock: Clock;
  /** For messages: which server. */
  readonly where: string;
  readonly isDurable: boolean;
  readonly writer: PostgresSession;
  readonly readers: readonly PostgresSession[];
  /** For what may take its time. */
  readonly slow: PostgresSession;
}

export class PostgresStorage implements RegistryStorage {
  readonly name = 'postgres';
  readonly capabilities: StorageCapabilities;

  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #where: string;
  readonly #statements: PostgresStatements;
  readonly #writes: PostgresWrites;
  readonly #reads: PostgresReads;
  readonly #slowReads: PostgresReads;
  readonly #sweep: PostgresSweep;
  readonly #sessions: readonly PostgresSession[];
  #closing: Promise<void> | undefined;

  constructor(components: PostgresStorageComponents) {
    const { schema, timeoutMs, clock, where, isDurable, writer, readers, slow } = components;
    this.capabilities = { persistent: true, durable: isDurable, expires: true, shared: false };
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#where = where;
    const statements = new PostgresStatements(schema);
    const now = () => this.#now();
    this.#statements = statements;
    this.#writes = new PostgresWrites({ statements, now, run: (query) => writer.run(query, timeoutMs) });
    this.#reads = new PostgresReads({ statements, now, timeoutMs, sessions: readers });
    this.#slowReads = new PostgresReads({ statements, now, timeoutMs, sessions: [slow] });
    this.#sessions = [writer, ...readers, slow];
    this.#sweep = new PostgresSweep({
      clock,
      sweep: async (limit) => (await this.#query(this.#slowReads, statements.sweep(limit, now()))).rowCount ?? 0,
    });
  }

  async retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined> {
    const [entry] = await this.retrieveBatch([key], options);
    return entry;
  }

  async retrieveBatch(
    keys: readonly Uint8Array[],
    options?: StorageOptions,
  ): Promise<readonly (StorageEntry | undefined)[]> {
    this.#check(keys, options);
    if (keys.length === 0) return [];
    const call = this.#call<StorageEntry | undefined>(keys.length, options);
    return call.begin(() =>
      this.#reads.retrieve(keys.map((key, place) => ({ keyText: toByteText(key), call, place }))),
    );
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
    for (const { expected, entry } of operations) {
      checkEntry(entry);
      assert(expected === 'absent' || expected >= 1, 'a version to be expected is 1 or more');
    }
    if (operations.length === 0) return [];
    const call = this.#call<StoreIfOutcome>(operations.length, options);
    return call.begin(() =>
      this.#writes.add(
        operations.map((operation, place) => ({
          kind: 'storeIf',
          operation,
          ...weigh(operation.key, operation.entry),
          call,
          place,
        })),
      ),
    );
  }

  async store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'> {
    this.#check([key], options);
    checkEntry(entry);
    const call = this.#call<'stored'>(1, options);
    const operation = { key, entry };
    const [outcome] = await call.begin(() =>
      this.#writes.add([{ kind: 'store', operation, ...weigh(key, entry), call, place: 0 }]),
    );
    return outcome!;
  }

  async remove(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    this.#check([key], options);
    const call = this.#call<boolean>(1, options);
    const operation = { key };
    const [wasThere] = await call.begin(() =>
      this.#writes.add([{ kind: 'remove', operation, ...weigh(key), call, place: 0 }]),
    );
    return wasThere!;
  }

  async contains(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    this.#check([key], options);
    const { rows } = await this.#query(this.#reads, this.#statements.contains(key, this.#now()), options);
    return rows.length > 0;
  }

  async scan({ prefix, after, limit, signal }: ScanOptions): Promise<readonly StoredEntry[]> {
    this.#check([], { signal });
    if (limit <= 0) return [];
    const start = prefix ?? new Uint8Array(0);
    // The first key behind another is that one and a zero.
    const from = after !== undefined && compareBytes(after, start) >= 0 ? Uint8Array.of(...after, 0) : start;
    const query = this.#statements.scan(from, behindPrefix(start), limit, this.#now());
    const { rows } = await this.#query(this.#reads, query, { signal });
    return rows.map(toStoredEntry);
  }

  async size(options?: StorageOptions): Promise<StorageSize> {
    this.#check([], options);
    const { rows } = await this.#query(this.#slowReads, this.#statements.size(this.#now()), options);
    const [entries, bytes] = rows[0]!;
    return { entries: Number(entries), bytes: Number(bytes) };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#sweep.stop();
    await Promise.all([this.#writes.idle(), this.#reads.idle(), this.#slowReads.idle()]);
    await Promise.all(this.#sessions.map((session) => session.close()));
  }

  /** Columns of deadlines are whole numbers: what is over at 5.5 is over at 5. */
  #now(): number {
    return Math.floor(this.#clock.now());
  }

  #check(keys: readonly Uint8Array[], options: StorageOptions | undefined): void {
    if (this.#closing !== undefined) {
      throw new NautilusError('STORAGE_FAILED', `the storage in ${this.#where} is closed: open it again`);
    }
    options?.signal?.throwIfAborted();
    keys.forEach(assertStorageKey);
  }

  async #query(reads: PostgresReads, query: PostgresQuery, options?: StorageOptions): Promise<PostgresResult> {
    const call = this.#call<PostgresResult>(1, options);
    const [result] = await call.begin(() => reads.run(query, call));
    return result!;
  }

  #call<T>(count: number, options: StorageOptions | undefined): PostgresCall<T> {
    const toError = (error: unknown) => toPostgresCallError(this.#where, error);
    return new PostgresCall(count, {
      clock: this.#clock,
      timeoutMs: this.#timeoutMs,
      signal: options?.signal,
      toError,
    });
  }
}

function weigh(key: Uint8Array, entry?: StorageEntry) {
  return { keyText: toByteText(key), bytes: key.length + (entry?.value.length ?? 0) };
}

function checkEntry({ version, expiresAt }: StorageEntry): void {
  assert(Number.isSafeInteger(version) && version >= 1, 'a version is a whole number from 1 to 2^53 - 1');
  assert(Number.isSafeInteger(expiresAt), 'a deadline is a whole number of milliseconds');
}

/** The first key behind all that start with `prefix`; undefined where there is none. */
function behindPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  return last < 0 ? undefined : Uint8Array.of(...prefix.subarray(0, last), prefix[last]! + 1);
}
