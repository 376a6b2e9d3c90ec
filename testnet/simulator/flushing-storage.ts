/**
 * A disk under a storage: a write is seen at once and resolves when it is flushed; a restart after a crash undoes what was not. Writes that come
 * while a flush is under way share the next one (group commit), as LMDB and its kind do. Not here: torn pages, write errors.
 */
import { type Clock, NautilusError, type Timer } from '../../src/core/index.ts';
import { fromByteText, toByteText } from '../../src/registry/byte-text.ts';
import type {
  MemoryStorage,
  RegistryStorage,
  ScanOptions,
  StorageCapabilities,
  StorageEntry,
  StorageOptions,
  StorageSize,
  StoredEntry,
  StoreIfOperation,
  StoreIfOutcome,
} from '../../src/registry/index.ts';
import { assertStorageKey } from '../../src/registry/storage-key.ts';
import type { SeededRandom } from './seeded-random.ts';

/** How long a flush takes, ms: always as long, or anything from the first to the second. */
export type FlushTime = number | readonly [min: number, max: number];

export interface FlushingStorageOptions {
  /** What is seen. Nobody else writes to it. Its methods do their work before they return their promise: a read and a write are one step here. */
  readonly inner: MemoryStorage;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly flushMs: FlushTime;
}

/** Writes that are flushed together. */
interface Group {
  /** By key: what the disk holds until then. */
  readonly before: Map<string, Promise<StorageEntry | undefined>>;
  readonly flushed: Promise<void>;
  resolve(): void;
  timer: Timer | undefined;
}

export class FlushingStorage implements RegistryStorage {
  readonly name = 'flushing memory';
  readonly capabilities: StorageCapabilities = { persistent: true, durable: true, expires: true, shared: false };
  readonly #inner: MemoryStorage;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #flushMs: FlushTime;
  // BOUNDED: both by the writes that callers have waiting.
  #flushing: Group | undefined;
  #next: Group | undefined;
  #isClosed = false;

  constructor({ inner, clock, random, flushMs }: FlushingStorageOptions) {
    this.#inner = inner;
    this.#clock = clock;
    this.#random = random;
    this.#flushMs = flushMs;
  }

  /** Entries that a crash at this moment would lose or leave as they were before. */
  get unflushed(): number {
    return (this.#flushing?.before.size ?? 0) + (this.#next?.before.size ?? 0);
  }

  /** Another process opens what the disk holds. Writes that were not flushed never happened, and nobody who waits for one hears of it. */
  async restart(): Promise<void> {
    const lost = new Map([...(this.#next?.before ?? []), ...(this.#flushing?.before ?? [])]);
    this.#flushing?.timer?.cancel();
    this.#flushing = undefined;
    this.#next = undefined;
    this.#isClosed = false;
    await Promise.all([...lost.keys()].map((key) => this.#inner.remove(fromByteText(key))));
    for (const [key, before] of lost) {
      const entry = await before;
      if (entry !== undefined) await this.#inner.store(fromByteText(key), entry);
    }
  }

  async retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined> {
    this.#check(options);
    return this.#inner.retrieve(key);
  }

  async retrieveBatch(
    keys: readonly Uint8Array[],
    options?: StorageOptions,
  ): Promise<readonly (StorageEntry | undefined)[]> {
    this.#check(options);
    return this.#inner.retrieveBatch(keys);
  }

  async storeIf(operation: StoreIfOperation, options?: StorageOptions): Promise<StoreIfOutcome> {
    this.#check(options);
    const write = () => this.#inner.storeIf(operation);
    return this.#write([operation.key], write, ({ kind }) => kind === 'stored');
  }

  async storeIfBatch(
    operations: readonly StoreIfOperation[],
    options?: StorageOptions,
  ): Promise<readonly StoreIfOutcome[]> {
    this.#check(options);
    const keys = operations.map(({ key }) => key);
    const write = () => this.#inner.storeIfBatch(operations);
    return this.#write(keys, write, (outcomes) => outcomes.some(({ kind }) => kind === 'stored'));
  }

  async store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'> {
    this.#check(options);
    return this.#write(
      [key],
      () => this.#inner.store(key, entry),
      (outcome) => outcome === 'stored',
    );
  }

  async remove(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    this.#check(options);
    return this.#write(
      [key],
      () => this.#inner.remove(key),
      (wasThere) => wasThere,
    );
  }

  async contains(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    this.#check(options);
    return this.#inner.contains(key);
  }

  async scan(options: ScanOptions): Promise<readonly StoredEntry[]> {
    this.#check(options);
    return this.#inner.scan(options);
  }

  async size(options?: StorageOptions): Promise<StorageSize> {
    this.#check(options);
    return this.#inner.size();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const groups = [this.#flushing, this.#next];
    this.#flushing?.timer?.cancel();
    this.#flushing = undefined;
    this.#next = undefined;
    for (const group of groups) group?.resolve();
  }

  #check(options: StorageOptions | undefined): void {
    if (this.#isClosed) throw new NautilusError('STORAGE_FAILED', 'the disk is closed: restart() opens it again');
    options?.signal?.throwIfAborted();
  }

  async #write<T>(keys: readonly Uint8Array[], write: () => Promise<T>, changes: (outcome: T) => boolean): Promise<T> {
    if (keys.length === 0) return write();
    keys.forEach(assertStorageKey);
    const texts = keys.map(toByteText);
    this.#next ??= createGroup();
    const group = this.#next;
    for (const [i, text] of texts.entries()) {
      if (!group.before.has(text)) group.before.set(text, this.#inner.retrieve(keys[i]!));
    }
    const writing = write();
    if (this.#flushing === undefined) this.#flush();
    const outcome = await writing;
    if (changes(outcome)) await group.flushed;
    return outcome;
  }

  #flush(): void {
    const group = this.#next;
    this.#flushing = group;
    this.#next = undefined;
    if (group === undefined) return;
    group.timer = this.#clock.setTimer(this.#drawFlushMs(), () => {
      group.resolve();
      this.#flush();
    });
  }

  #drawFlushMs(): number {
    if (typeof this.#flushMs === 'number') return this.#flushMs;
    const [min, max] = this.#flushMs;
    return min + this.#random.next() * (max - min);
  }
}

function createGroup(): Group {
  let resolve = (): void => undefined;
  const flushed = new Promise<void>((done) => {
    resolve = done;
  });
  return { before: new Map(), flushed, resolve, timer: undefined };
}
