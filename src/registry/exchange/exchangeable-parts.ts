/** The face of a storage made of several others, over one that may be such a storage now and another one later. */
import type { MergeEntries, PartChange, RegistryStorage, ScanOptions, StorageParts, StoredEntry } from '../storage.ts';

type ReadStorage = <T>(call: (storage: RegistryStorage) => Promise<T>) => Promise<T>;

export class ExchangeableParts implements StorageParts {
  // BOUNDED: a handful, by who puts the node together.
  readonly #listeners = new Set<(change: PartChange) => void>();
  readonly #read: ReadStorage;
  #storage: RegistryStorage;
  #merge: MergeEntries | undefined;
  #isExchanged = false;
  #unsubscribe: () => void = () => undefined;

  /** @param read asks the one in use, and keeps it open meanwhile */
  constructor(storage: RegistryStorage, read: ReadStorage) {
    this.#read = read;
    this.#storage = storage;
    this.#follow();
  }

  /** From now on it is about this one, which has everything: whoever waits for a part of the former one waits no longer. */
  use(storage: RegistryStorage): void {
    const away = this.away();
    this.#unsubscribe();
    this.#storage = storage;
    this.#isExchanged = true;
    if (this.#merge !== undefined) storage.parts?.mergeWith(this.#merge);
    this.#follow();
    for (const part of away) this.#tell({ kind: 'returned', part, isEmptied: false });
  }

  isWhole(key: Uint8Array): boolean {
    return this.#storage.parts?.isWhole(key) ?? true;
  }

  belongsIn(key: Uint8Array, part: string): boolean {
    return this.#storage.parts?.belongsIn(key, part) ?? false;
  }

  away(): readonly string[] {
    return this.#storage.parts?.away() ?? [];
  }

  scanPresent(options: ScanOptions, part?: string): Promise<readonly StoredEntry[]> {
    // Who still looks for what a part of the former one had looks at everything: it lies anywhere now.
    const only = this.#isExchanged ? undefined : part;
    return this.#read((storage) => storage.parts?.scanPresent(options, only) ?? storage.scan(options));
  }

  mergeWith(merge: MergeEntries): void {
    this.#merge = merge;
    this.#storage.parts?.mergeWith(merge);
  }

  subscribe(listener: (change: PartChange) => void): () => void {
    const tell = (change: PartChange) => listener(change);
    this.#listeners.add(tell);
    return () => {
      this.#listeners.delete(tell);
    };
  }

  #follow(): void {
    const unsubscribe = this.#storage.parts?.subscribe((change) => this.#tell(change));
    this.#unsubscribe = unsubscribe ?? (() => undefined);
  }

  #tell(change: PartChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
