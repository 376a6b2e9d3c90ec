/**
 * One exchange from its first page to the switch: copy, verify, then all at once. Whatever fails on the way leaves the storage that was in use in
 * use. Not here: opening and closing storages, and what is noted for the next start (storage-exchanger.ts).
 */
import { type Clock, NautilusError, sleep } from '../../core/index.ts';
import type { RegistryStorage } from '../storage.ts';
import { within } from '../within.ts';
import { ChangedKeys } from './changed-keys.ts';
import { removeMark } from './copy-mark.ts';
import type { ExchangeableStorage } from './exchangeable-storage.ts';
import { type PassProgress, StorageCopy, type StorageCopyInit } from './storage-copy.ts';

export interface ExchangeInit extends StorageCopyInit {
  /** Keys written since they were copied; beyond, writes wait. */
  readonly maxChangedKeys: number;
  /** How long writes may be held to let those before them end. */
  readonly holdMs: number;
}

export const DEFAULT_EXCHANGE_INIT: ExchangeInit = {
  pageEntries: 128,
  stepTimeoutMs: 10_000,
  pauseShare: 0.5,
  maxChangedKeys: 16_384,
  holdMs: 2_000,
};

export interface ExchangeStep {
  readonly phase: 'copying' | 'verifying' | 'switched';
  /** Looked at in this phase. */
  readonly entries: number;
  /** As many were there when it began. */
  readonly total: number;
  /** Found to differ in this phase, and mended. */
  readonly differences: number;
}

export interface ExchangeComponents {
  readonly storage: ExchangeableStorage;
  readonly target: RegistryStorage;
  /** For messages. */
  readonly from: string;
  readonly to: string;
  readonly clock: Clock;
  /** Gives it up. */
  readonly signal: AbortSignal;
  onStep(step: ExchangeStep): void;
  /** Everything was copied once. */
  onCopied(): Promise<void>;
  /** Notes durably that the target is in use from now on. When it rejects, the target must not be used. */
  commit(): Promise<void>;
}

/** Verifying mends what it finds, and is done over until it finds nothing. */
const MAX_VERIFICATIONS = 3;
const MAX_HOLDS = 5;
const BETWEEN_HOLDS_MS = 500;

export class Exchange {
  readonly #components: ExchangeComponents;
  readonly #init: ExchangeInit;
  readonly #changes: ChangedKeys;
  readonly #copy: StorageCopy;

  constructor(components: ExchangeComponents, init: ExchangeInit) {
    const { storage, target, from, to, clock, signal } = components;
    this.#components = components;
    this.#init = init;
    this.#changes = new ChangedKeys(init.maxChangedKeys);
    const names = { source: from, target: to };
    this.#copy = new StorageCopy(
      { source: storage.current, target, names, changes: this.#changes, clock, signal },
      init,
    );
  }

  /** @returns the storage that is not in use any more, and when nobody waits for it @throws why nothing was exchanged */
  async run(): Promise<ReturnType<ExchangeableStorage['exchange']>> {
    const { storage, target, onCopied } = this.#components;
    try {
      await this.#inTime(storage.follow(this.#changes, target.capabilities), this.#init.stepTimeoutMs);
      await this.#pass('copying');
      await onCopied();
      await this.#verify();
      return await this.#cutOver();
    } finally {
      storage.unfollow();
    }
  }

  async #verify(): Promise<void> {
    for (let n = 0; n < MAX_VERIFICATIONS; n++) {
      if ((await this.#pass('verifying')).differences === 0) return;
    }
    throw new NautilusError(
      'STORAGE_FAILED',
      `${this.#components.to}: it does not return what was stored in it: check it, and that nobody else writes to it`,
    );
  }

  async #pass(phase: 'copying' | 'verifying'): Promise<PassProgress> {
    const { storage, onStep, signal } = this.#components;
    const { entries: total } = await this.#inTime(storage.size({ signal }), this.#init.stepTimeoutMs);
    onStep({ phase, total, entries: 0, differences: 0 });
    return this.#copy.pass((progress) => onStep({ phase, total, ...progress }));
  }

  async #cutOver(): Promise<ReturnType<ExchangeableStorage['exchange']>> {
    const { clock, signal } = this.#components;
    for (let n = 0; n < MAX_HOLDS; n++) {
      // Writes are held the shorter, the less is left to be copied.
      for (let round = 0; round < MAX_HOLDS && this.#changes.size > 0; round++) await this.#copy.catchUp();
      const switched = await this.#switch();
      if (switched !== undefined) return switched;
      await sleep(clock, BETWEEN_HOLDS_MS, signal);
    }
    throw new NautilusError(
      'STORAGE_FAILED',
      `${this.#components.from}: it does not finish its writes within ${this.#init.holdMs} ms: check it`,
    );
  }

  /** Undefined: some write takes too long to be waited for. */
  async #switch(): Promise<ReturnType<ExchangeableStorage['exchange']> | undefined> {
    const { storage, target, commit, signal } = this.#components;
    const release = storage.hold();
    try {
      const areDone = storage.writesDone().then(() => true);
      const tooLate = new AbortController();
      const late = sleep(this.#components.clock, this.#init.holdMs, AbortSignal.any([signal, tooLate.signal])).then(
        () => false,
        () => false,
      );
      const isQuiet = await Promise.race([areDone, late]);
      tooLate.abort();
      signal.throwIfAborted();
      if (!isQuiet) return undefined;
      while (this.#changes.size > 0) await this.#copy.catchUp();
      await this.#inTime(removeMark(target), this.#init.stepTimeoutMs);
      signal.throwIfAborted();
      await commit();
      return storage.exchange(target);
    } finally {
      release();
    }
  }

  #inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
    const { clock, signal, from, to } = this.#components;
    const late = () =>
      new NautilusError('STORAGE_FAILED', `${from} or ${to} has not answered for ${timeoutMs} ms: check them`);
    return within(work, { clock, timeoutMs, signal, late });
  }
}
