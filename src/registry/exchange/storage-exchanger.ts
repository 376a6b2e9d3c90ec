/**
 * Keeps the storage of a node exchangeable: begins exchanges, one at a time, notes how far they have come, and closes what is not needed any more.
 * The note decides what the next start does (open-exchangeable.ts). Until the switch is noted the storage that was in use has everything, so that
 * giving up is always safe; from then on the new one has.
 */
import {
  type Clock,
  isNautilusError,
  NautilusError,
  type Observer,
  type Random,
  type StateStore,
  sleep,
} from '../../core/index.ts';
import type { RegistryStorage } from '../storage.ts';
import { within } from '../within.ts';
import { checkFree, markOwner, setMark } from './copy-mark.ts';
import { Exchange, type ExchangeInit, type ExchangeStep } from './exchange.ts';
import { afterSwitch, type ExchangeDocument, readDocument, writeDocument } from './exchange-document.ts';
import { ExchangeableStorage } from './exchangeable-storage.ts';
import { Latest } from './latest.ts';
import { listed, type StorageNaming, storageFlags } from './storage-naming.ts';

export interface ExchangerComponents<Opened extends { readonly storage: RegistryStorage }> {
  /** Durable, and none of the storages. */
  readonly state: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Told `warning`. */
  readonly observer: Observer;
  readonly init: ExchangeInit;
  open(urls: readonly string[], signal: AbortSignal): Promise<Opened>;
  readonly naming: StorageNaming;
}

export interface ExchangeProgress extends ExchangeStep {
  /** As `--storage` takes them, but for passwords. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}

interface Running {
  readonly to: string;
  readonly progress: Latest<ExchangeProgress>;
  readonly done: Promise<void>;
}

const COMMIT_ATTEMPTS = 5;
const COMMIT_RETRY_MS = 1_000;
const FREE_TIMEOUT_MS = 5_000;

export class StorageExchanger<Opened extends { readonly storage: RegistryStorage }> {
  readonly storage: ExchangeableStorage;
  readonly #components: ExchangerComponents<Opened>;
  readonly #stopping = new AbortController();
  #current: Opened;
  #document: ExchangeDocument;
  #running: Running | undefined;
  #closing: Promise<void> | undefined;

  /** @param document what is noted, or would be if anything were */
  constructor(components: ExchangerComponents<Opened>, current: Opened, document: ExchangeDocument) {
    this.#components = components;
    this.#current = current;
    this.#document = document;
    this.storage = new ExchangeableStorage(current.storage);
  }

  /** What is in use, as it was opened. */
  get current(): Opened {
    return this.#current;
  }

  /** How far the exchange under way has come. */
  get progress(): ExchangeProgress | undefined {
    return this.#running?.progress.value;
  }

  /**
   * Moves everything to another storage and serves from there. The same target again: watches the exchange that is under way. To stop watching ends
   * nothing.
   * @throws NautilusError `CONFIG_INVALID`, `CONFLICT`; what opening the target throws; why the storage in use stays in use
   */
  migrate(
    urls: readonly string[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<ExchangeProgress, void> {
    const to = this.#nameOf(urls);
    if (this.#running === undefined) {
      this.#checkApart(urls);
      this.#begin(urls, { isResumed: false });
    } else if (this.#running.to !== to) {
      throw new NautilusError('CONFLICT', `the records are on their way to ${this.#running.to}: wait for it`);
    }
    return this.#running!.progress.watch(options.signal);
  }

  /** Nothing can be copied to itself. */
  #checkApart(urls: readonly string[]): void {
    const { naming } = this.#components;
    const home = naming.names(this.#document.home);
    const names = naming.names(urls);
    const common = names.filter((name) => home.includes(name));
    if (common.length === 0) return;
    const isSame = common.length === names.length && common.length === home.length;
    const problem = isSame
      ? `the records are in ${listed(common)} already: choose another storage`
      : `${listed(common)} is in use already: to share the records with further storages start with --storage for each, and "nautilus storage drain" those that are to go`;
    throw new NautilusError('CONFIG_INVALID', problem, { details: { field: 'to' } });
  }

  /** Goes on with what an earlier process did not finish. */
  resume(): void {
    if (this.#document.target !== null) this.#begin(this.#document.target.urls, { isResumed: true });
  }

  /** Idempotent. An exchange under way is left as it is, for the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopping.abort(new NautilusError('ABORTED', 'the node is stopping: the migration goes on at its next start'));
    await this.#running?.done;
    await this.storage.close();
  }

  #begin(urls: readonly string[], how: { readonly isResumed: boolean }): void {
    const progress = new Latest<ExchangeProgress>();
    const { naming } = this.#components;
    const [from, to] = [naming.shown(this.#document.home), naming.shown(urls)];
    const tell = (step: ExchangeStep) => progress.set({ ...step, from, to });
    tell({ phase: 'copying', entries: 0, total: 0, differences: 0 });
    const done = this.#exchange(urls, tell, how).then(
      () => progress.end(),
      (error: unknown) => progress.end({ error }),
    );
    const running: Running = {
      to: this.#nameOf(urls),
      progress,
      done: done.finally(() => (this.#running = undefined)),
    };
    this.#running = running;
  }

  async #exchange(
    urls: readonly string[],
    tell: (step: ExchangeStep) => void,
    { isResumed }: { readonly isResumed: boolean },
  ): Promise<void> {
    const { clock, open, naming, init, state, random } = this.#components;
    const { signal } = this.#stopping;
    const [from, to] = [this.#nameOf(this.#document.home), this.#nameOf(urls)];
    let target: Opened | undefined;
    let total = 0;
    try {
      signal.throwIfAborted();
      target = await open(urls, signal);
      const opened = target;
      const owner = await markOwner(state, random);
      // What was moved from there is out of date: it is this node's to overwrite.
      if (!isResumed && !this.#document.former.includes(to)) {
        await this.#inTime(checkFree(opened.storage, to, owner), to);
      }
      await this.#note({ ...this.#document, target: { urls, phase: 'copying' } });
      await this.#inTime(setMark(opened.storage, to, owner), to);
      const exchange = new Exchange(
        {
          storage: this.storage,
          target: opened.storage,
          from,
          to,
          clock,
          signal,
          onStep: (step) => {
            total = step.total;
            tell(step);
          },
          onCopied: () => this.#note({ ...this.#document, target: { urls, phase: 'verifying' } }),
          commit: async () => {
            await this.#commit();
            this.#current = opened;
          },
        },
        init,
      );
      const { former, isFree } = await exchange.run();
      const flags = storageFlags(naming.shown(urls));
      this.#warn('STORAGE_MOVED', `the records were moved from ${from} to ${to}: start with ${flags} from now on`);
      tell({ phase: 'switched', entries: total, total, differences: 0 });
      await this.#closeFormer(former, isFree, from);
    } catch (error) {
      // Before it says why: another attempt may want to open it again.
      await this.#closeQuietly(target?.storage);
      throw await this.#giveUp(error, { from, to });
    }
  }

  /** The storage in use stays in use. @returns what to tell whoever asked for the exchange */
  async #giveUp(error: unknown, { from, to }: { readonly from: string; readonly to: string }): Promise<unknown> {
    if (this.#stopping.signal.aborted) return error;
    if (this.#document.target !== null) {
      try {
        await this.#note({ ...this.#document, target: null });
      } catch (noteError) {
        this.#warn('STORAGE_FAILED', `the next start tries to migrate to ${to} once more: ${reasonOf(noteError)}`);
      }
    }
    const message = `nothing was migrated, the records stay in ${from}: ${reasonOf(error)}`;
    this.#warn('MIGRATION_ROLLED_BACK', message);
    return isNautilusError(error)
      ? new NautilusError(error.code, message, { cause: error, details: error.details })
      : error;
  }

  async #note(document: ExchangeDocument): Promise<void> {
    await writeDocument(this.#components.state, document);
    this.#document = document;
  }

  /**
   * The one step that decides. A note that may have been written or not is looked at again, while writes are held; when nobody can say what it is,
   * nothing may be written any more: the next start will know, and both storages have the same until then.
   */
  async #commit(): Promise<void> {
    const { state, naming, clock } = this.#components;
    const next = afterSwitch(this.#document, naming);
    try {
      await this.#note(next);
      return;
    } catch (error) {
      for (let n = 0; n < COMMIT_ATTEMPTS; n++) {
        try {
          const noted = await readDocument(state);
          if (noted?.target !== null) throw new NoteMissing();
          this.#document = next;
          return;
        } catch (readError) {
          if (readError instanceof NoteMissing) throw error;
          await sleep(clock, COMMIT_RETRY_MS);
        }
      }
      const refusal = new NautilusError(
        'STORAGE_FAILED',
        'the state of this node can neither be written nor read: nothing is stored until it is started again',
        { cause: error },
      );
      this.storage.refuseWrites(refusal);
      throw refusal;
    }
  }

  async #closeFormer(former: RegistryStorage, isFree: Promise<void>, name: string): Promise<void> {
    const { clock } = this.#components;
    const { signal } = this.#stopping;
    const late = () => new NautilusError('STORAGE_FAILED', `it has not answered for ${FREE_TIMEOUT_MS} ms`);
    try {
      await within(isFree, { clock, timeoutMs: FREE_TIMEOUT_MS, late, signal });
    } catch (error) {
      if (!signal.aborted) this.#warn('CLOSE_FAILED', `${name}, which is not used any more: ${reasonOf(error)}`);
    }
    await this.#closeQuietly(former);
  }

  async #closeQuietly(storage: RegistryStorage | undefined): Promise<void> {
    const { clock } = this.#components;
    const late = () => new NautilusError('STORAGE_FAILED', `not closed after ${FREE_TIMEOUT_MS} ms`);
    try {
      await within((async () => storage?.close())(), { clock, timeoutMs: FREE_TIMEOUT_MS, late });
    } catch (error) {
      this.#warn('CLOSE_FAILED', `${storage?.name}: ${reasonOf(error)}`);
    }
  }

  #nameOf(urls: readonly string[]): string {
    return listed(this.#components.naming.names(urls));
  }

  #inTime<T>(work: Promise<T>, name: string): Promise<T> {
    const { clock, init } = this.#components;
    const { stepTimeoutMs: timeoutMs } = init;
    const late = () => new NautilusError('STORAGE_FAILED', `${name} has not answered for ${timeoutMs} ms: check it`);
    return within(work, { clock, timeoutMs, signal: this.#stopping.signal, late });
  }

  #warn(code: string, message: string): void {
    this.#components.observer.notify({ type: 'warning', code, message });
  }
}

/** The note is not there, for certain. */
class NoteMissing extends Error {}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
