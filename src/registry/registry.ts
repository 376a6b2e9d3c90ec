/**
 * The records a node keeps for the network, over any storage. What two versions make of each other is decided by the pure merge in
 * `records`; here it is looped over the storage's one atomic primitive, counted, bounded and expired on time.
 *
 * Limits refuse newcomers and nothing else: a newer version of a held cell always gets in, and no acknowledged record is ever evicted.
 * Tombstones and floors (expired headers, which keep older versions from coming back) get in as newcomers too, into a reserve of a quarter
 * beyond the limits, so that deleting still works in a full store and a flood of floors is still bounded.
 */
import { type Clock, isNautilusError, KeyedQueue, type Load, NautilusError, type Observer } from '../core/index.ts';
import {
  type CellChange,
  type CellRange,
  cellId,
  type HeldRecord,
  isLive,
  type MergeOutcome,
  type NetworkConstants,
  type RecordStore,
  type SignedRecord,
  utf8Encode,
} from '../records/index.ts';
import { fromByteText, toByteText } from './byte-text.ts';
import { type Cell, CellLedger } from './cell-ledger.ts';
import { decideMerge, nextVersion } from './decide-merge.ts';
import { DurableTime } from './durable-time.ts';
import { ExpirySchedule } from './expiry-schedule.ts';
import { PartReturns } from './part-returns.ts';
import {
  type CellSummary,
  cellUntil,
  entryBytes,
  fromCellEntry,
  keyIdText,
  mergeCellEntries,
  summarizeCell,
  toCellEntry,
  withoutExpiredValue,
} from './record-cell.ts';
import { RESERVE, type RegistryLimits } from './registry-limits.ts';
import { cellsOfKey, scanCells } from './scan-cells.ts';
import type { RegistryStorage, StorageEntry, StorageOptions, StoredEntry } from './storage.ts';

export interface RegistryComponents {
  /** Stays the caller's: closing the registry does not close it. Nobody else may write cells to it while the registry is open. */
  readonly storage: RegistryStorage;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
  readonly limits: RegistryLimits;
}

/** How often somebody else may be faster on one cell before a merge gives up. */
const MAX_ATTEMPTS = 8;
/** After a failed write, ms. An expired record is not returned meanwhile: reading judges for itself. */
const RETRY_MS = 5_000;

export class Registry implements RecordStore {
  readonly #components: RegistryComponents;
  readonly #ledger = new CellLedger();
  readonly #schedule: ExpirySchedule<Cell>;
  /** Merges, drops and expiries of one key happen one after the other, which makes counting its publishers exact. */
  readonly #queue = new KeyedQueue();
  readonly #time: DurableTime;
  /** Where parts of the storage may be away. */
  readonly #returns: PartReturns | undefined;
  // BOUNDED: limits.maxPendingMerges, merges and drops together.
  readonly #changes = new Set<Promise<unknown>>();
  // BOUNDED: a handful, by who puts the node together.
  readonly #listeners = new Set<(change: CellChange) => void>();
  #closing: Promise<void> | undefined;

  constructor(components: RegistryComponents) {
    this.#components = components;
    this.#time = new DurableTime(components);
    const { storage, clock, constants } = components;
    const { parts } = storage;
    if (parts !== undefined) {
      parts.mergeWith(mergeCellEntries(constants));
      this.#returns = new PartReturns({
        storage,
        parts,
        clock,
        onReturned: (cells) => {
          for (const cell of cells) if (this.#ledger.get(cell.id) === cell) this.#schedule.set(cell, this.#time.now());
        },
        // As after a write that failed: what it has become is found out at once.
        onMerged: (key) => this.#recheck(toByteText(key), 0),
        onEmptied: (part) => {
          for (const { id } of this.#ledger) if (parts.belongsIn(fromByteText(id), part)) this.#recheck(id, 0);
        },
        onFound: (key, entry) => this.#find(key, entry),
      });
    }
    this.#schedule = new ExpirySchedule({
      clock: components.clock,
      now: () => this.#time.now(),
      process: (due) => this.#expireBatch(due),
    });
  }

  /**
   * Reads what the storage holds: the counters and every deadline. Once, before anything else; see `openRegistry`. What lies in a part that is away
   * is read when that is back.
   */
  async load(options?: StorageOptions): Promise<void> {
    const { storage } = this.#components;
    await this.#time.load(options);
    this.#returns?.watch();
    for await (const { key, ...entry } of scanCells(storage, { ...options, isPresentOnly: true }))
      this.#learn(key, entry);
    this.#returns?.loaded();
    await this.#time.save();
  }

  async merge(record: HeldRecord, options?: StorageOptions): Promise<MergeOutcome> {
    return this.#change(record.header.key.id, options, () => this.#merge(record, options?.signal));
  }

  async drop(keyId: Uint8Array, options?: StorageOptions): Promise<number> {
    return this.#change(keyId, options, () => this.#drop(keyId, options?.signal));
  }

  async read(keyId: Uint8Array, options?: StorageOptions): Promise<readonly HeldRecord[]> {
    options?.signal?.throwIfAborted();
    this.#checkOpen();
    const entries = await cellsOfKey(this.#components.storage, keyId, options?.signal);
    const now = this.#time.now();
    return entries.map((entry) => withoutExpiredValue(fromCellEntry(entry), now));
  }

  async *scan(
    options: { readonly prefix?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<SignedRecord, void> {
    this.#checkOpen();
    const { prefix = '', signal } = options;
    for await (const entry of scanCells(this.#components.storage, { signal })) {
      const { header, value } = fromCellEntry(entry);
      if (value === undefined || !isLive(header, this.#time.now()) || !header.key.text.startsWith(prefix)) continue;
      yield { header, value };
    }
  }

  async *cells(
    options: { readonly range?: CellRange | undefined; readonly after?: Uint8Array | undefined } & StorageOptions = {},
  ): AsyncGenerator<HeldRecord, void> {
    this.#checkOpen();
    const isPresentOnly = options.range === undefined;
    for await (const entry of scanCells(this.#components.storage, { ...options, isPresentOnly })) {
      yield withoutExpiredValue(fromCellEntry(entry), this.#time.now());
    }
  }

  isWhole(keyId: Uint8Array): boolean {
    return this.#components.storage.parts?.isWhole(keyId) ?? true;
  }

  subscribe(listener: (change: CellChange) => void): () => void {
    // A function of its own, so that subscribing twice with one listener is two subscriptions.
    const tell = (change: CellChange) => listener(change);
    this.#listeners.add(tell);
    return () => {
      this.#listeners.delete(tell);
    };
  }

  size(): { readonly records: number; readonly bytes: number } {
    return this.#ledger.live();
  }

  /** How full the parts with a bound are, by name. */
  get loads(): Readonly<Record<string, Load>> {
    const { maxPendingMerges, maxRecords } = this.#components.limits;
    return {
      changes: { size: this.#changes.size, limit: maxPendingMerges },
      cells: { size: this.#ledger.cells, limit: RESERVE * maxRecords },
      deadlines: { size: this.#schedule.size, limit: this.#ledger.cells },
      expiring: this.#schedule.load,
    };
  }

  /** Idempotent. Finishes the merges and drops at work; the storage stays open. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#returns?.close();
    await this.#schedule.close();
    await Promise.allSettled(this.#changes);
    await this.#time.save();
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new NautilusError('STORAGE_FAILED', 'the registry is closed: the node is stopping');
  }

  /** Runs after the changes of the same key that came before. */
  async #change<T>(keyId: Uint8Array, options: StorageOptions | undefined, work: () => Promise<T>): Promise<T> {
    options?.signal?.throwIfAborted();
    this.#checkOpen();
    const { maxPendingMerges } = this.#components.limits;
    if (this.#changes.size >= maxPendingMerges) {
      throw new NautilusError(
        'RESOURCE_EXHAUSTED',
        `${maxPendingMerges} merges already wait for the storage: try again later`,
      );
    }
    const change = this.#queue.run(toByteText(keyId), work);
    this.#changes.add(change);
    try {
      return await change;
    } finally {
      this.#changes.delete(change);
    }
  }

  async #merge(record: HeldRecord, signal: AbortSignal | undefined): Promise<MergeOutcome> {
    const { storage } = this.#components;
    const id = cellId(record.header);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      signal?.throwIfAborted();
      const cells = await this.#cellsToMerge(record.header.key.id, signal);
      const decision = decideMerge(
        { ...this.#components, now: this.#time.now(), occupancy: this.#ledger.occupancy },
        record,
        cells,
      );
      if (decision.kind !== 'write') return decision;
      const { entry, expected, newcomer } = decision;
      const release = newcomer.isNewCell ? this.#ledger.reserve(newcomer.bytes) : () => undefined;
      try {
        // Without the signal: a write whose outcome nobody waits for would not be counted.
        const outcome = await storage.storeIf({ key: id, expected, entry });
        if (outcome.kind === 'full') return { kind: 'refused', reason: 'STORE_FULL', newestSeq: decision.heldSeq };
        if (outcome.kind === 'stored') {
          this.#track(toByteText(id), decision.record, entry);
          if (decision.isHeaderNew) this.#tell({ kind: 'held', header: decision.record.header });
          return { kind: 'stored', until: decision.record.header.expiresAt, newestSeq: decision.newestSeq };
        }
      } catch (error) {
        this.#recheck(toByteText(id));
        throw error;
      } finally {
        release();
      }
    }
    throw new NautilusError(
      'RESOURCE_EXHAUSTED',
      `another writer was faster ${MAX_ATTEMPTS} times on "${record.header.key.text}": try again`,
    );
  }

  /** Of what cannot be read, nobody knows anything: whatever comes is merged with it later. */
  async #cellsToMerge(keyId: Uint8Array, signal: AbortSignal | undefined): Promise<readonly StoredEntry[]> {
    try {
      return await cellsOfKey(this.#components.storage, keyId, signal);
    } catch (error) {
      if (isNautilusError(error, 'SHARD_DOWN')) return [];
      throw error;
    }
  }

  /** Without the signal once it removes: what is gone must be counted and told. */
  async #drop(keyId: Uint8Array, signal: AbortSignal | undefined): Promise<number> {
    if (!this.isWhole(keyId)) {
      throw new NautilusError(
        'SHARD_DOWN',
        'part of the storage is down: what it has cannot be dropped before it is back',
      );
    }
    const entries = await cellsOfKey(this.#components.storage, keyId, signal);
    for (const { key } of entries) {
      const id = toByteText(key);
      try {
        await this.#components.storage.remove(key);
      } catch (error) {
        this.#recheck(id);
        throw error;
      }
      const cell = this.#ledger.get(id);
      if (cell !== undefined) this.#forget(cell);
    }
    return entries.length;
  }

  /** A cell of a part that was away when everything was read. */
  async #find(key: Uint8Array, entry: StorageEntry): Promise<void> {
    const id = toByteText(key);
    await this.#queue.run(keyIdText(id), async () => {
      // Something newer was merged meanwhile, and told.
      if (this.#ledger.get(id) !== undefined || this.#closing !== undefined) return;
      this.#learn(key, entry);
      this.#tell({ kind: 'held', header: fromCellEntry(entry).header });
    });
  }

  #forget(cell: Cell): void {
    const isKnown = cell.state.bytes > 0;
    this.#schedule.delete(cell);
    this.#ledger.forget(cell);
    // Without an entry ever seen it was only in doubt: nobody was told that it is held.
    if (isKnown) this.#tell({ kind: 'gone', cellId: fromByteText(cell.id) });
  }

  #tell(change: CellChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Of a cell nobody has told of: what it is by what the storage has. */
  #learn(key: Uint8Array, entry: StorageEntry): void {
    this.#note(toByteText(key), summarizeCell(entry), entry);
  }

  #track(id: string, { header, value }: HeldRecord, entry: StorageEntry): void {
    const { expiresAt, deleted, key } = header;
    const liveBytes = value === undefined ? undefined : utf8Encode(key.text).length + value.length;
    this.#note(id, { expiresAt, deleted, liveBytes }, entry);
  }

  #note(id: string, { expiresAt, deleted, liveBytes }: Omit<CellSummary, 'seq'>, entry: StorageEntry): void {
    const isAnnounced = liveBytes === undefined && !(deleted && expiresAt > this.#time.now());
    const cell = this.#ledger.track(id, { bytes: entryBytes(entry), liveBytes, isAnnounced });
    this.#schedule.set(cell, isAnnounced ? entry.expiresAt : expiresAt);
  }

  /** After a write that failed: whether it happened anyway is found out a little later. */
  #recheck(id: string, delayMs = RETRY_MS): void {
    const cell = this.#ledger.get(id) ?? this.#ledger.track(id, { bytes: 0, liveBytes: undefined, isAnnounced: true });
    cell.state = { ...cell.state, isInDoubt: true };
    this.#schedule.set(cell, this.#time.now() + delayMs);
  }

  async #expireBatch(due: readonly Cell[]): Promise<void> {
    const work = due.map((cell) => this.#queue.run(keyIdText(cell.id), () => this.#expire(cell)));
    const failures = (await Promise.allSettled(work)).flatMap((result, index) => {
      if (result.status === 'fulfilled') return [];
      if (this.#returns !== undefined && isNautilusError(result.reason, 'SHARD_DOWN')) {
        // Said already, once, by the shard itself; it goes on when that is back.
        this.#returns.wait(due[index]!);
        return [];
      }
      this.#recheck(due[index]!.id);
      return [result.reason as unknown];
    });
    if (failures.length > 0) {
      const [error] = failures;
      const code = isNautilusError(error) ? error.code : 'STORAGE_FAILED';
      const reason = error instanceof Error ? `: ${error.message}` : '';
      const message = `${failures.length} records could not be expired, retrying${reason}`;
      this.#components.observer.notify({ type: 'warning', code, message });
    }
    await this.#time.saveIfDue();
  }

  /** A record past its deadline becomes its floor; a floor past its own is forgotten. */
  async #expire(cell: Cell): Promise<void> {
    const { storage, constants, observer } = this.#components;
    // A merge of the same key went first and renewed it, or a drop forgot it.
    if (cell.heapIndex !== -1 || this.#ledger.get(cell.id) !== cell) return;
    const key = fromByteText(cell.id);
    const entry = await storage.retrieve(key);
    const now = this.#time.now();
    const record = entry && fromCellEntry(entry);
    if (entry === undefined || record === undefined || cellUntil(record.header, constants) <= now) {
      // Removing what cannot be seen would be a promise about it.
      if (!this.isWhole(key)) throw new NautilusError('SHARD_DOWN', 'part of the storage is down: wait for it');
      if (entry !== undefined || !storage.capabilities.expires) await storage.remove(key);
      this.#forget(cell);
      return;
    }
    const { header, value } = record;
    if (cell.state.isInDoubt) this.#tell({ kind: 'held', header });
    if (header.expiresAt <= now && !cell.state.isAnnounced) {
      // Before the write, so that a slow disk delays no event; said once even if the write has to be repeated.
      cell.state = { ...cell.state, isAnnounced: true };
      observer.notify({ type: 'record-expired', key: header.key.text, deleted: header.deleted });
    }
    if (header.expiresAt > now || value === undefined) {
      this.#track(cell.id, record, entry);
      return;
    }
    const floor: HeldRecord = { header, value: undefined };
    const floorEntry = toCellEntry(floor, nextVersion(entry, now), constants);
    const outcome = await storage.storeIf({ key, expected: entry.version, entry: floorEntry });
    if (outcome.kind === 'stored') this.#track(cell.id, floor, floorEntry);
    else this.#schedule.set(cell, now + RETRY_MS);
  }
}
