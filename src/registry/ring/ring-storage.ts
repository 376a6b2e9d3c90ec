/**
 * Several storages as one: a ring of shards behind the port every storage has. Keys of one group lie on the same shards; a shard that fails is
 * gone around and caught up with later. Not here: what a group needs (group-settler.ts, group-access.ts), what goes on by itself (ring-work.ts).
 */
import { assert, isNautilusError, KeyedQueue, type Load, NautilusError, untilAborted } from '../../core/index.ts';
import type {
  MergeEntries,
  PartChange,
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
import { GroupAccess } from './group-access.ts';
import { GroupSettler, isOfShard } from './group-settler.ts';
import { isReserved } from './hint.ts';
import { HotKeys } from './hot-keys.ts';
import { GROUP_BYTES, groupOf } from './key-group.ts';
import { RelocatedKeys } from './relocated-keys.ts';
import { runRingBatch } from './ring-batch.ts';
import { HIGHER_VERSION, type RingParts } from './ring-parts.ts';
import { type RingScanOptions, scanRing } from './ring-scan.ts';
import type { Shard } from './shard.ts';

// BOUNDED: calls at once, over all shards; a batch counts each of its operations.
const MAX_CALLS = 65_536;

/** Told of what the ring's own work should look at. */
export interface RingStorageHooks {
  onDiffering(key: Uint8Array): void;
  /** A hint was written, for a shard that may be up. */
  onHint(): void;
  onClose(): Promise<void>;
}

export class RingStorage implements RegistryStorage {
  readonly name = 'ring';
  readonly capabilities: StorageCapabilities;
  readonly parts: StorageParts;
  readonly hotKeys: HotKeys;
  readonly access: GroupAccess;
  readonly settler: GroupSettler;
  readonly #ring: RingParts;
  readonly #hooks: RingStorageHooks;
  readonly #queue = new KeyedQueue();
  // BOUNDED: MAX_CALLS.
  readonly #calls = new Set<Promise<unknown>>();
  #load = 0;
  // BOUNDED: by the scans at work.
  readonly #scans = new Set<(key: Uint8Array) => void>();
  // BOUNDED: by who puts the node together.
  readonly #listeners = new Set<(change: PartChange) => void>();
  // BOUNDED: one per shard. What each was when last looked at.
  readonly #sizes = new Map<string, StorageSize>();
  /** While set, no call begins. */
  #gate: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(ring: Omit<RingParts, 'merge' | 'onMerged' | 'onRelocated' | 'onHint'>, hooks: RingStorageHooks) {
    const parts: RingParts = {
      ...ring,
      merge: HIGHER_VERSION,
      onMerged: (key) => this.tell({ kind: 'merged', key }),
      onRelocated: (key) => {
        for (const note of this.#scans) note(key);
      },
      onHint: () => hooks.onHint(),
    };
    this.#ring = parts;
    this.#hooks = hooks;
    this.settler = new GroupSettler(parts);
    this.access = new GroupAccess(parts, this.settler);
    this.hotKeys = new HotKeys(ring.clock);
    this.capabilities = commonCapabilities([...ring.layout.shards.values()]);
    this.parts = {
      isWhole: (key) => this.#isWhole(key),
      belongsIn: (key, part) => ring.layout.homes(groupOf(key)).some(({ name }) => name === part),
      away: () => ring.layout.unreadable().map(({ name }) => name),
      scanPresent: (options, part) => this.#scanAll({ ...options, isPartial: true, part }, options),
      mergeWith: (merge: MergeEntries) => {
        parts.merge = merge;
      },
      subscribe: (listener) => {
        const tell = (change: PartChange) => listener(change);
        this.#listeners.add(tell);
        return () => void this.#listeners.delete(tell);
      },
    };
  }

  get loads(): Readonly<Record<string, Load>> {
    return { calls: { size: this.#load, limit: MAX_CALLS } };
  }

  retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined> {
    return this.#run([key], options, () => this.#retrieve(key));
  }

  async retrieveBatch(
    keys: readonly Uint8Array[],
    options?: StorageOptions,
  ): Promise<readonly (StorageEntry | undefined)[]> {
    return this.#run(keys, options, () =>
      runRingBatch(keys, {
        shardOf: (key) => this.#plainHome(this.#noted(key)),
        together: (shard, some) => shard.call(some, (storage) => storage.retrieveBatch(some)),
        alone: (key) => this.#retrieve(key),
        // A read may always be asked for again.
        mayRetry: () => true,
      }),
    );
  }

  async storeIf(operation: StoreIfOperation, options?: StorageOptions): Promise<StoreIfOutcome> {
    const own = owned(operation);
    return this.#run([own.key], options, () =>
      this.inGroup(groupOf(own.key), (group) => this.access.storeIf(group, own)),
    );
  }

  async storeIfBatch(
    operations: readonly StoreIfOperation[],
    options?: StorageOptions,
  ): Promise<readonly StoreIfOutcome[]> {
    const own = operations.map(owned);
    const keys = own.map(({ key }) => key);
    const isOnOne = this.#ring.layout.copies === 1;
    return this.#run(keys, options, () =>
      runRingBatch(own, {
        shardOf: ({ key }) => {
          const group = this.#noted(key);
          return isOnOne ? this.#plainHome(group) : undefined;
        },
        together: (shard, some) =>
          shard.call(
            some.map(({ key }) => key),
            (storage) => storage.storeIfBatch(some),
          ),
        alone: (operation) => this.inGroup(groupOf(operation.key), (group) => this.access.storeIf(group, operation)),
        mayRetry: (error) => isNautilusError(error, 'SHARD_DOWN'),
      }),
    );
  }

  async store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'> {
    const own = { key: key.slice(), entry: { ...entry, value: entry.value.slice() } };
    return this.#run([own.key], options, () =>
      this.inGroup(groupOf(own.key), (group) => this.access.store(group, own.key, own.entry)),
    );
  }

  async remove(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    const own = key.slice();
    return this.#run([own], options, () => this.inGroup(groupOf(own), (group) => this.access.remove(group, own)));
  }

  async contains(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    return (await this.retrieve(key, options)) !== undefined;
  }

  async scan({ signal, ...options }: ScanOptions): Promise<readonly StoredEntry[]> {
    const { prefix } = options;
    if (prefix === undefined || prefix.length < GROUP_BYTES)
      return this.#scanAll({ ...options, isPartial: false }, { signal });
    const inOne = (storage: RegistryStorage) => storage.scan(options);
    return this.#run([], { signal }, () =>
      this.#read(prefix, [], inOne, (group, failed) => this.access.scan(group, options, failed)),
    );
  }

  /** Of shards that are down, what they held when last looked at. */
  size(options?: StorageOptions): Promise<StorageSize> {
    return this.#run([], options, async () => {
      const { layout } = this.#ring;
      const sizes = await Promise.all([...layout.shards.values()].map((shard) => this.sizeOf(shard)));
      const entries = sizes.reduce((sum, size) => sum + size.entries, 0);
      const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
      return { entries: Math.round(entries / layout.copies), bytes };
    });
  }

  /** Without what is the ring's own. */
  async sizeOf(shard: Shard): Promise<StorageSize> {
    if (shard.isUp) {
      try {
        const { entries, bytes } = await shard.call([], (storage) => storage.size());
        this.#sizes.set(shard.name, { entries: Math.max(0, entries - 1 - this.#ring.hints.heldBy(shard.name)), bytes });
      } catch (error) {
        if (!isOfShard(error)) throw error; // what it held before will do
      }
    }
    return this.#sizes.get(shard.name) ?? { entries: 0, bytes: 0 };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Work on a group, one at a time. */
  inGroup<T>(group: string, work: (group: string) => Promise<T>): Promise<T> {
    return this.#queue.run(group, () => work(group));
  }

  /** Everything that has begun is finished first, and nothing begins before `change` has: what is asked of the old homes is not asked too late. */
  async betweenCalls(change: () => void): Promise<void> {
    assert(this.#gate === undefined, 'the ring changes once at a time');
    let open: () => void = () => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    await Promise.allSettled(this.#calls);
    change();
    this.#gate = undefined;
    open();
  }

  tell(change: PartChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#calls);
    await this.#hooks.onClose();
    await Promise.all([...this.#ring.layout.shards.values()].map((shard) => shard.close()));
  }

  /** Bounded, counted, and given up by its signal: what has begun may still happen then. */
  async #run<T>(keys: readonly Uint8Array[], options: StorageOptions | undefined, work: () => Promise<T>): Promise<T> {
    const signal = options?.signal;
    this.#checkOpen();
    signal?.throwIfAborted();
    for (const key of keys) {
      assertStorageKey(key);
      assert(!isReserved(key), "a storage key is none of the ring's own");
    }
    const weight = Math.max(1, keys.length);
    if (this.#load > 0 && this.#load + weight > MAX_CALLS) {
      throw new NautilusError(
        'RESOURCE_EXHAUSTED',
        `${this.#load} calls already wait for the storages: try again later`,
      );
    }
    while (this.#gate !== undefined) await this.#gate;
    this.#checkOpen();
    this.#load += weight;
    const call = work().finally(() => {
      this.#calls.delete(call);
      this.#load -= weight;
    });
    this.#calls.add(call);
    return untilAborted(call, signal);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new NautilusError('STORAGE_FAILED', 'the ring is closed: open it again');
  }

  #retrieve(key: Uint8Array): Promise<StorageEntry | undefined> {
    const inOne = (storage: RegistryStorage) => storage.retrieve(key);
    return this.#read(key, [key], inOne, (group, failed) => this.access.retrieve(group, key, failed));
  }

  /** In the shard that can answer alone, if one can; `around` it otherwise, and where it has just failed. */
  async #read<T>(
    key: Uint8Array,
    keys: readonly Uint8Array[],
    inOne: (storage: RegistryStorage) => Promise<T>,
    around: (group: string, failed: Shard | undefined) => Promise<T>,
  ): Promise<T> {
    const group = this.#noted(key);
    const shard = this.#plainHome(group);
    if (shard !== undefined) {
      try {
        return await shard.call(keys, inOne);
      } catch (error) {
        const mayGoAround = isOfShard(error) && (!shard.isUp || this.#ring.layout.copies > 1);
        if (!mayGoAround) throw error;
      }
    }
    return this.inGroup(group, () => around(group, shard));
  }

  /** The group of a key that somebody has asked for. */
  #noted(key: Uint8Array): string {
    const group = groupOf(key);
    this.hotKeys.note(group);
    return group;
  }

  #scanAll(range: RingScanOptions, options: StorageOptions): Promise<readonly StoredEntry[]> {
    const components = {
      parts: this.#ring,
      retrieve: (key: Uint8Array) => {
        const group = groupOf(key);
        return this.inGroup(group, () => this.access.retrieve(group, key));
      },
      onDiffering: (key: Uint8Array) => this.#hooks.onDiffering(key),
    };
    return this.#run([], options, async () => {
      const relocated = new RelocatedKeys(range);
      const note = (key: Uint8Array) => relocated.add(key);
      this.#scans.add(note);
      try {
        return await scanRing({ ...components, relocated }, range);
      } finally {
        this.#scans.delete(note);
      }
    });
  }

  /** The shard that can answer for a group alone; undefined: it takes more. */
  #plainHome(group: string): Shard | undefined {
    const { layout, hints } = this.#ring;
    if (hints.of(group).length > 0 || layout.moveOf(group) !== undefined) return undefined;
    return layout.homes(group).find((shard) => layout.isReadable(shard));
  }

  #isWhole(key: Uint8Array): boolean {
    const { layout, hints } = this.#ring;
    const group = groupOf(key);
    const move = layout.moveOf(group);
    return layout.homes(group).some((shard) => {
      if (!layout.isReadable(shard)) return false;
      if (move?.lacking.includes(shard) === true && !move.sources.some(({ isUp }) => isUp)) return false;
      return hints.of(group).every(({ target, holder }) => target !== shard.name || layout.shard(holder).isUp);
    });
  }
}

/** What all of them can do. Nobody else may write: the ring knows what it has written, and no more. */
function commonCapabilities(shards: readonly Shard[]): StorageCapabilities {
  const all = shards.flatMap(({ capabilities }) => capabilities ?? []);
  return {
    persistent: all.every(({ persistent }) => persistent),
    durable: all.every(({ durable }) => durable),
    expires: all.every(({ expires }) => expires),
    shared: false,
  };
}

function owned({ key, expected, entry }: StoreIfOperation): StoreIfOperation {
  return { key: key.slice(), expected, entry: { ...entry, value: entry.value.slice() } };
}
