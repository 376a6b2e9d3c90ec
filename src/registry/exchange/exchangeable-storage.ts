/**
 * A storage that stands before the one in use, which can be exchanged while it serves. Reads go to the one in use; while a copy of it is being made,
 * every write is noted before it begins and when it has ended, so that whoever makes the copy knows what to copy again. Not here: making the copy
 * (storage-copy.ts), deciding when (exchange.ts).
 */
import { assert, type NautilusError, untilAborted } from '../../core/index.ts';
import { toByteText } from '../byte-text.ts';
import type {
  RegistryStorage,
  ScanOptions,
  StorageCapabilities,
  StorageEntry,
  StorageOptions,
  StorageParts,
  StorageSize,
  StoredEntry,
  StoreIfOperation,
  StoreIfOutcome,
} from '../storage.ts';
import { assertStorageKey } from '../storage-key.ts';
import { CallCount } from './call-count.ts';
import type { ChangedKeys } from './changed-keys.ts';
import { ExchangeableParts } from './exchangeable-parts.ts';

/** One storage in use, and the calls it has not answered yet. */
interface Side {
  readonly storage: RegistryStorage;
  readonly reads: CallCount;
  writes: CallCount;
}

interface Following {
  readonly changes: ChangedKeys;
  readonly copy: StorageCapabilities;
  readonly unsubscribe: () => void;
}

export class ExchangeableStorage implements RegistryStorage {
  readonly #parts: ExchangeableParts;
  #side: Side;
  #following: Following | undefined;
  #held: { readonly released: Promise<void>; release(): void } | undefined;
  #refusal: NautilusError | undefined;

  constructor(storage: RegistryStorage) {
    this.#side = sideOf(storage);
    this.#parts = new ExchangeableParts(storage, (call) => this.#read(call));
  }

  get name(): string {
    return this.#side.storage.name;
  }

  get parts(): StorageParts {
    return this.#parts;
  }

  get capabilities(): StorageCapabilities {
    const { capabilities } = this.#side.storage;
    // What one of the two keeps until somebody removes it has to be removed.
    const expires = capabilities.expires && (this.#following?.copy.expires ?? true);
    return { ...capabilities, expires };
  }

  retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined> {
    return this.#read((storage) => storage.retrieve(key, options));
  }

  retrieveBatch(keys: readonly Uint8Array[], options?: StorageOptions): Promise<readonly (StorageEntry | undefined)[]> {
    return this.#read((storage) => storage.retrieveBatch(keys, options));
  }

  storeIf(operation: StoreIfOperation, options?: StorageOptions): Promise<StoreIfOutcome> {
    return this.#write([operation.key], options, (storage, given) => storage.storeIf(operation, given));
  }

  storeIfBatch(operations: readonly StoreIfOperation[], options?: StorageOptions): Promise<readonly StoreIfOutcome[]> {
    const keys = operations.map(({ key }) => key);
    return this.#write(keys, options, (storage, given) => storage.storeIfBatch(operations, given));
  }

  store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'> {
    return this.#write([key], options, (storage, given) => storage.store(key, entry, given));
  }

  remove(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    return this.#write([key], options, (storage, given) => storage.remove(key, given));
  }

  contains(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    return this.#read((storage) => storage.contains(key, options));
  }

  scan(options: ScanOptions): Promise<readonly StoredEntry[]> {
    return this.#read((storage) => storage.scan(options));
  }

  size(options?: StorageOptions): Promise<StorageSize> {
    return this.#read((storage) => storage.size(options));
  }

  close(): Promise<void> {
    return this.#side.storage.close();
  }

  /** What is in use now; whoever writes to it past this storage is not noticed. */
  get current(): RegistryStorage {
    return this.#side.storage;
  }

  /** Notes every change from now on. Resolves when no write is under way that was not noted. */
  async follow(changes: ChangedKeys, copy: StorageCapabilities): Promise<void> {
    assert(this.#following === undefined, 'one copy is made at a time');
    const { parts } = this.#side.storage;
    const unsubscribe =
      parts?.subscribe((change) => {
        if (change.kind === 'merged') changes.note(toByteText(change.key));
      }) ?? (() => undefined);
    this.#following = { changes, copy, unsubscribe };
    const unnoted = this.#side.writes;
    this.#side.writes = new CallCount();
    await unnoted.idle();
  }

  /** There will be no copy, or it is in use. Writes that wait for room go on. */
  unfollow(): void {
    const following = this.#following;
    this.#following = undefined;
    following?.unsubscribe();
    following?.changes.close();
  }

  /** Resolves when every write that has begun has ended; while writes come and are not held, that may be never. */
  writesDone(): Promise<void> {
    return this.#side.writes.idle();
  }

  /** Writes wait until the returned function is called, reads do not. */
  hold(): () => void {
    assert(this.#held === undefined, 'writes are held once at a time');
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = () => {
        this.#held = undefined;
        resolve();
      };
    });
    this.#held = { released, release };
    return release;
  }

  /** For good: nobody can say any more which storage a write would have to go to. */
  refuseWrites(reason: NautilusError): void {
    this.#refusal = reason;
  }

  /**
   * From now on `next` is in use; it must have what the one in use has, and writes must be held.
   * @returns what was in use: resolves when it has answered its last call, closing it is the caller's
   */
  exchange(next: RegistryStorage): { readonly former: RegistryStorage; readonly isFree: Promise<void> } {
    assert(this.#held !== undefined, 'storages are exchanged while writes are held');
    const { storage: former, reads } = this.#side;
    this.#side = sideOf(next);
    this.unfollow();
    this.#parts.use(next);
    return { former, isFree: reads.idle() };
  }

  #read<T>(call: (storage: RegistryStorage) => Promise<T>): Promise<T> {
    const { storage, reads } = this.#side;
    return reads.run(() => call(storage));
  }

  async #write<T>(
    keys: readonly Uint8Array[],
    options: StorageOptions | undefined,
    call: (storage: RegistryStorage, options: StorageOptions | undefined) => Promise<T>,
  ): Promise<T> {
    const signal = options?.signal;
    for (let wait = this.#toWaitFor(); wait !== undefined; wait = this.#toWaitFor()) await untilAborted(wait, signal);
    if (this.#refusal !== undefined) throw this.#refusal;
    const { storage, writes } = this.#side;
    const changes = this.#following?.changes;
    if (changes === undefined) return writes.run(() => call(storage, options));
    signal?.throwIfAborted();
    keys.forEach(assertStorageKey);
    const texts = keys.map(toByteText);
    changes.begin(texts);
    // Without the signal: it must be known when the write is over, and a caller who stopped waiting may use the bytes for something else.
    return writes.run(async () => {
      try {
        return await call(storage, undefined);
      } finally {
        changes.end(texts);
      }
    });
  }

  #toWaitFor(): Promise<void> | undefined {
    return this.#held?.released ?? this.#following?.changes.room();
  }
}

function sideOf(storage: RegistryStorage): Side {
  return { storage, reads: new CallCount(), writes: new CallCount() };
}
