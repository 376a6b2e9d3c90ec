/**
 * Makes one storage equal to another one that goes on changing, a page at a time: compares a range by its digest, writes what differs, and copies
 * again whatever changed meanwhile. All writes to the copy come one step after the other from here, so that a later one never loses to an earlier
 * one. The first pass copies, a further one verifies: they differ in what is expected. Not here: noticing changes (exchangeable-storage.ts).
 */
import { type Clock, NautilusError, sleep } from '../../core/index.ts';
import { fromByteText, toByteText } from '../byte-text.ts';
import { isReserved } from '../ring/index.ts';
import type { RegistryStorage, StorageEntry } from '../storage.ts';
import { within } from '../within.ts';
import type { ChangedKeys } from './changed-keys.ts';
import { comparePage, type PageDifference } from './compare-page.ts';
import { isMark } from './copy-mark.ts';

export interface StorageCopyInit {
  /** Entries a step reads from each side, and writes at most. */
  readonly pageEntries: number;
  /** How long one step of one side may take. */
  readonly stepTimeoutMs: number;
  /** After each page as many times as long as it took, for the callers of the storage. */
  readonly pauseShare: number;
}

export interface StorageCopyComponents {
  readonly source: RegistryStorage;
  readonly target: RegistryStorage;
  /** For messages: which storages these are. */
  readonly names: { readonly source: string; readonly target: string };
  readonly changes: ChangedKeys;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface PassProgress {
  /** Entries looked at in this pass. */
  readonly entries: number;
  /** Of those, and beyond, what the copy did not have as it should, without what has just changed. */
  readonly differences: number;
}

/** An entry that is over so soon may be gone from one side and not yet from the other. */
const LASTING_MS = 10_000;

export class StorageCopy {
  readonly #components: StorageCopyComponents;
  readonly #init: StorageCopyInit;

  constructor(components: StorageCopyComponents, init: StorageCopyInit) {
    this.#components = components;
    this.#init = init;
  }

  /** Looks at everything once and mends what differs. @returns the last that was told */
  async pass(onPage: (progress: PassProgress) => void): Promise<PassProgress> {
    const { clock, signal } = this.#components;
    let progress: PassProgress = { entries: 0, differences: 0 };
    let after: Uint8Array | undefined;
    for (;;) {
      const begunAt = clock.monotonic();
      await this.catchUp();
      const page = await this.#page(after);
      const { entries, differences } = progress;
      progress = { entries: entries + page.entries, differences: differences + page.differences };
      onPage(progress);
      if (page.end === undefined) return progress;
      after = page.end;
      await sleep(clock, Math.max(1, this.#init.pauseShare * (clock.monotonic() - begunAt)), signal);
    }
  }

  /** Copies again what has changed until now. */
  async catchUp(): Promise<void> {
    const { changes } = this.#components;
    for (let left = changes.size; left > 0; ) {
      const keys = changes.take(Math.min(left, this.#init.pageEntries)).map(fromByteText);
      left -= keys.length;
      const entries = await this.#ofSource((source) => source.retrieveBatch(keys));
      await this.#write(keys.map((key, index) => ({ key, entry: entries[index] })));
    }
  }

  async #page(after: Uint8Array | undefined): Promise<PassProgress & { readonly end: Uint8Array | undefined }> {
    const { changes, clock } = this.#components;
    const limit = this.#init.pageEntries;
    const options = { limit, ...(after !== undefined && { after }) };
    const [original, copy] = await Promise.all([
      this.#ofSource((source) => source.scan(options)),
      this.#ofTarget((target) => target.scan(options)),
    ]);
    const { count, differences, end } = comparePage(original, copy, limit);
    // What has just changed is copied again anyway; whatever changes from here on is noted after this.
    // What a ring keeps of itself, or kept while this was one of its storages, is no entry of anybody's.
    const isOwn = (key: Uint8Array) => isMark(key) || isReserved(key);
    const wrong = differences.filter(({ key }) => !isOwn(key) && !changes.isPending(toByteText(key)));
    const lastingSince = clock.now() + LASTING_MS;
    const lasting = wrong.filter((difference) => expiryOf(difference) > lastingSince);
    await this.#write(wrong.map(({ key, original: entry }) => ({ key, entry })));
    return { entries: count, differences: lasting.length, end };
  }

  async #write(
    changes: readonly { readonly key: Uint8Array; readonly entry: StorageEntry | undefined }[],
  ): Promise<void> {
    if (changes.length === 0) return;
    await this.#ofTarget(async (target) => {
      const results = await Promise.allSettled(
        changes.map(({ key, entry }) => (entry === undefined ? target.remove(key) : target.store(key, entry))),
      );
      for (const result of results) {
        if (result.status === 'rejected') throw result.reason;
        if (result.value === 'full') throw new NautilusError('STORAGE_FAILED', 'it is full: give it more room');
      }
    });
  }

  #ofSource<T>(work: (source: RegistryStorage) => Promise<T>): Promise<T> {
    const { source, names } = this.#components;
    return this.#step(work(source), names.source);
  }

  #ofTarget<T>(work: (target: RegistryStorage) => Promise<T>): Promise<T> {
    const { target, names } = this.#components;
    return this.#step(work(target), names.target);
  }

  async #step<T>(work: Promise<T>, name: string): Promise<T> {
    const { clock, signal } = this.#components;
    const { stepTimeoutMs: timeoutMs } = this.#init;
    const late = () => new NautilusError('STORAGE_FAILED', `it has not answered for ${timeoutMs} ms: check it`);
    try {
      return await within(work, { clock, timeoutMs, signal, late });
    } catch (error) {
      if (signal.aborted || !(error instanceof NautilusError)) throw error;
      throw new NautilusError(error.code, `${name}: ${error.message}`, { cause: error });
    }
  }
}

function expiryOf({ original, copy }: PageDifference): number {
  return Math.max(original?.expiresAt ?? 0, copy?.expiresAt ?? 0);
}
