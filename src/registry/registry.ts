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
  bytesEqual,
  CELL_ID_BYTES,
  type CellChange,
  type CellRange,
  cellId,
  cellRange,
  compareVersions,
  floorUntil,
  type HeldRecord,
  isLive,
  isRenewal,
  type MergeOutcome,
  mergeRecords,
  type NetworkConstants,
  type RecordStore,
  type RefusalReason,
  type SignedRecord,
  utf8Encode,
} from '../records/index.ts';
import { type Cell, CellLedger } from './cell-ledger.ts';
import { DurableTime } from './durable-time.ts';
import { ExpirySchedule } from './expiry-schedule.ts';
import { fromKeyText, toKeyText } from './key-text.ts';
import { cellUntil, fromCellEntry, keyIdText, summarizeCell, toCellEntry } from './record-cell.ts';
import { type Newcomer, RESERVE, type RegistryLimits, refuseNewcomer } from './registry-limits.ts';
import { scanCells } from './scan-cells.ts';
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

interface Write {
  readonly kind: 'write';
  readonly record: HeldRecord;
  readonly entry: StorageEntry;
  readonly expected: number | 'absent';
  readonly newcomer: Newcomer;
  /** Not only the value is new. */
  readonly isHeaderNew: boolean;
  /** Newest seq of the key over all publishers, without and with the record. */
  readonly heldSeq: number;
  readonly newestSeq: number;
}

export class Registry implements RecordStore {
  readonly #components: RegistryComponents;
  readonly #ledger = new CellLedger();
  readonly #schedule: ExpirySchedule<Cell>;
  /** Merges, drops and expiries of one key happen one after the other, which makes counting its publishers exact. */
  readonly #queue = new KeyedQueue();
  readonly #time: DurableTime;
  // BOUNDED: limits.maxPendingMerges, merges and drops together.
  readonly #changes = new Set<Promise<unknown>>();
  // BOUNDED: a handful, by who puts the node together.
  readonly #listeners = new Set<(change: CellChange) => void>();
  /** Newcomers that were admitted and are being written. */
  #reserved = { cells: 0, bytes: 0 };
  #closing: Promise<void> | undefined;

  constructor(components: RegistryComponents) {
    this.#components = components;
    this.#time = new DurableTime(components);
    this.#schedule = new ExpirySchedule({
      clock: components.clock,
      now: () => this.#time.now(),
      process: (due) => this.#expireBatch(due),
    });
  }

  /** Reads what the storage holds: the counters and every deadline. Once, before anything else; see `openRegistry`. */
  async load(options?: StorageOptions): Promise<void> {
    await this.#time.load(options);
    for await (const { key, ...entry } of scanCells(this.#components.storage, options)) {
      const { expiresAt, deleted, liveBytes } = summarizeCell(entry);
      const isAnnounced = liveBytes === undefined && !(deleted && expiresAt > this.#time.now());
      const cell = this.#ledger.track(toKeyText(key), { bytes: entryBytes(entry), liveBytes, isAnnounced });
      this.#schedule.set(cell, isAnnounced ? entry.expiresAt : expiresAt);
    }
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
    const entries = await this.#cellsOf(keyId, options?.signal);
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
    for await (const entry of scanCells(this.#components.storage, options)) {
      yield withoutExpiredValue(fromCellEntry(entry), this.#time.now());
    }
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
    const change = this.#queue.run(toKeyText(keyId), work);
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
      const cells = await this.#cellsOf(record.header.key.id, signal);
      const decision = this.#decide(record, id, cells);
      if (decision.kind !== 'write') return decision;
      const { entry, expected, newcomer } = decision;
      this.#reserve(newcomer, 1);
      try {
        // Without the signal: a write whose outcome nobody waits for would not be counted.
        const outcome = await storage.storeIf({ key: id, expected, entry });
        if (outcome.kind === 'full') return { kind: 'refused', reason: 'STORE_FULL', newestSeq: decision.heldSeq };
        if (outcome.kind === 'stored') {
          this.#track(toKeyText(id), decision.record, entry);
          if (decision.isHeaderNew) this.#tell({ kind: 'held', header: decision.record.header });
          return { kind: 'stored', until: decision.record.header.expiresAt, newestSeq: decision.newestSeq };
        }
      } catch (error) {
        this.#recheck(toKeyText(id));
        throw error;
      } finally {
        this.#reserve(newcomer, -1);
      }
    }
    throw new NautilusError(
      'RESOURCE_EXHAUSTED',
      `another writer was faster ${MAX_ATTEMPTS} times on "${record.header.key.text}": try again`,
    );
  }

  /** What to do with a record, given every cell of its key. Looks at nothing else and changes nothing. */
  #decide(incoming: HeldRecord, id: Uint8Array, cells: readonly StoredEntry[]): MergeOutcome | Write {
    const { constants, limits } = this.#components;
    const now = this.#time.now();
    const heldEntry = cells.find(({ key }) => bytesEqual(key, id));
    const held = heldEntry && fromCellEntry(heldEntry);
    const others = cells.filter((cell) => cell !== heldEntry).map(summarizeCell);
    const heldSeq = others.reduce((newest, { seq }) => Math.max(newest, seq), held?.header.seq ?? 0);
    const newestSeq = Math.max(heldSeq, incoming.header.seq);
    const refuse = (reason: RefusalReason): MergeOutcome => ({ kind: 'refused', reason, newestSeq: heldSeq });

    const merged = held === undefined ? incoming : mergeRecords(held, incoming);
    if (held !== undefined && compareVersions(held.header, incoming.header) > 0) {
      // The same record with a later end is what was asked for and more: an immutable value put again, a renewal that was overtaken.
      const isCovered = isRenewal(held.header, incoming.header) && isLive(held.header, now);
      return isCovered ? { kind: 'stored', until: held.header.expiresAt, newestSeq } : refuse('STALE');
    }
    const isMergedLive = isLive(merged.header, now);
    if (isMergedLive && merged.value === undefined) return refuse('VALUE_NEEDED');
    const record = isMergedLive ? merged : { header: merged.header, value: undefined };
    const isHeldAlready =
      held !== undefined &&
      compareVersions(held.header, record.header) === 0 &&
      (held.value !== undefined || record.value === undefined);
    if (isHeldAlready) return { kind: 'stored', until: held.header.expiresAt, newestSeq };
    if (floorUntil(record.header, constants) <= now) return refuse('EXPIRED');

    const entry = toCellEntry(record, nextVersion(heldEntry, now), constants);
    const newcomer = { isLive: isMergedLive, isNewCell: held === undefined, bytes: entryBytes(entry) };
    if (held === undefined || !isLive(held.header, now)) {
      const occupancy = {
        cells: this.#ledger.cells + this.#reserved.cells,
        bytes: this.#ledger.bytes + this.#reserved.bytes,
      };
      const refusal = refuseNewcomer(newcomer, others, now, occupancy, limits, constants);
      if (refusal !== undefined) return refuse(refusal);
    }
    const expected = heldEntry?.version ?? 'absent';
    const isHeaderNew = held === undefined || compareVersions(held.header, record.header) !== 0;
    return { kind: 'write', record, entry, expected, newcomer, isHeaderNew, heldSeq, newestSeq };
  }

  /** Without the signal once it removes: what is gone must be counted and told. */
  async #drop(keyId: Uint8Array, signal: AbortSignal | undefined): Promise<number> {
    const entries = await this.#cellsOf(keyId, signal);
    for (const { key } of entries) {
      const id = toKeyText(key);
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

  #forget(cell: Cell): void {
    const isKnown = cell.state.bytes > 0;
    this.#schedule.delete(cell);
    this.#ledger.forget(cell);
    // Without an entry ever seen it was only in doubt: nobody was told that it is held.
    if (isKnown) this.#tell({ kind: 'gone', cellId: fromKeyText(cell.id) });
  }

  #tell(change: CellChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #reserve({ isNewCell, bytes }: Newcomer, sign: 1 | -1): void {
    if (!isNewCell) return;
    this.#reserved.cells += sign;
    this.#reserved.bytes += sign * bytes;
  }

  #track(id: string, { header, value }: HeldRecord, entry: StorageEntry): void {
    const liveBytes = value === undefined ? undefined : utf8Encode(header.key.text).length + value.length;
    const isAnnounced = liveBytes === undefined && !(header.deleted && header.expiresAt > this.#time.now());
    const cell = this.#ledger.track(id, { bytes: entryBytes(entry), liveBytes, isAnnounced });
    this.#schedule.set(cell, isAnnounced ? entry.expiresAt : header.expiresAt);
  }

  /** After a write that failed: whether it happened anyway is found out a little later. */
  #recheck(id: string): void {
    const cell = this.#ledger.get(id) ?? this.#ledger.track(id, { bytes: 0, liveBytes: undefined, isAnnounced: true });
    cell.state = { ...cell.state, isInDoubt: true };
    this.#schedule.set(cell, this.#time.now() + RETRY_MS);
  }

  async #expireBatch(due: readonly Cell[]): Promise<void> {
    const work = due.map((cell) => this.#queue.run(keyIdText(cell.id), () => this.#expire(cell)));
    const failures = (await Promise.allSettled(work)).flatMap((result, index) => {
      if (result.status === 'fulfilled') return [];
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
    const key = fromKeyText(cell.id);
    const entry = await storage.retrieve(key);
    const now = this.#time.now();
    const record = entry && fromCellEntry(entry);
    if (entry === undefined || record === undefined || cellUntil(record.header, constants) <= now) {
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

  async #cellsOf(keyId: Uint8Array, signal: AbortSignal | undefined): Promise<readonly StoredEntry[]> {
    const cells: StoredEntry[] = [];
    const range = cellRange(keyId, 8 * keyId.length);
    for await (const entry of scanCells(this.#components.storage, { range, signal })) cells.push(entry);
    return cells;
  }
}

function withoutExpiredValue(record: HeldRecord, now: number): HeldRecord {
  return record.value === undefined || isLive(record.header, now)
    ? record
    : { header: record.header, value: undefined };
}

function entryBytes(entry: StorageEntry): number {
  return CELL_ID_BYTES + entry.value.length;
}

/** From the wall time on, so that no version comes twice even when a cell is removed and comes back. */
function nextVersion(held: StorageEntry | undefined, now: number): number {
  return Math.max((held?.version ?? 0) + 1, Math.floor(now));
}
