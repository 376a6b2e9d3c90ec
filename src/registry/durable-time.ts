/**
 * Monotone wall time whose mark is kept in a storage that survives the process: a clock set back across a restart resurrects nothing either.
 * On other storages it is monotone time and no more.
 */
import { type Clock, isNautilusError, type Observer } from '../core/index.ts';
import { decodeCbor, encodeCbor, type NetworkConstants, utf8Encode } from '../records/index.ts';
import { MonotoneTime } from './monotone-time.ts';
import type { RegistryStorage, StorageOptions } from './storage.ts';

/** Where the latest wall time seen is kept; no cell has a key this short. */
const TIME_MARK_KEY = utf8Encode('latest time seen');
const TIME_MARK_INTERVAL_MS = 60_000;

export interface DurableTimeComponents {
  readonly storage: RegistryStorage;
  readonly clock: Clock;
  /** Told `warning`. */
  readonly observer: Observer;
  readonly constants: Pick<NetworkConstants, 'maxTtlMs' | 'maxClockSkewMs'>;
}

export class DurableTime {
  readonly #components: DurableTimeComponents;
  #time: MonotoneTime;
  #savedMark = 0;

  constructor(components: DurableTimeComponents) {
    this.#components = components;
    this.#time = new MonotoneTime(components.clock);
  }

  /** ms since the epoch */
  now(): number {
    return this.#time.now();
  }

  /** Goes on from the mark of an earlier process. Once, before anything is judged by this time. */
  async load(options?: StorageOptions): Promise<void> {
    const { storage, clock, constants } = this.#components;
    if (!storage.capabilities.persistent) return;
    const entry = await storage.retrieve(TIME_MARK_KEY, options).catch((error: unknown) => {
      if (!isNautilusError(error, 'SHARD_DOWN')) throw error;
      this.#warn(
        'SHARD_DOWN',
        'the latest time this store has seen cannot be read now: a clock set back goes unnoticed',
      );
      return undefined;
    });
    const mark: unknown = entry && decodeCbor(entry.value)?.value;
    if (typeof mark !== 'number') return;
    const aheadMs = mark - clock.now();
    // Nothing lives that long: the clock was wrong then, not now. Believing the mark would keep every new record out.
    if (aheadMs > constants.maxTtlMs) return;
    this.#time = new MonotoneTime(clock, mark);
    if (aheadMs > constants.maxClockSkewMs) {
      const message = `the clock is ${Math.round(aheadMs / 1000)} s behind what this store has seen: check it`;
      this.#warn('CLOCK_BEHIND', message);
    }
  }

  /** Never rejects: a mark that could not be saved costs a warning. */
  async save(): Promise<void> {
    const { storage } = this.#components;
    const mark = this.now();
    if (!storage.capabilities.persistent || mark === this.#savedMark) return;
    this.#savedMark = mark;
    try {
      const value = encodeCbor(mark);
      await storage.store(TIME_MARK_KEY, { value, version: 1, expiresAt: Number.MAX_SAFE_INTEGER });
    } catch (error) {
      const code = isNautilusError(error) ? error.code : 'STORAGE_FAILED';
      const reason = error instanceof Error ? `: ${error.message}` : '';
      this.#warn(code, `the time mark could not be saved${reason}`);
    }
  }

  /** Saves when the last mark is old. */
  async saveIfDue(): Promise<void> {
    if (this.now() - this.#savedMark >= TIME_MARK_INTERVAL_MS) await this.save();
  }

  #warn(code: string, message: string): void {
    this.#components.observer.notify({ type: 'warning', code, message });
  }
}
