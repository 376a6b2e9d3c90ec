/**
 * One storage of a ring, as an actor: whatever is asked of it goes through its inbox, has a deadline, and counts for or against it. While its
 * circuit is not closed it is not asked at all. Tells what happens to it; what follows from that is the ring's business.
 */
import {
  AssertionError,
  type Clock,
  isNautilusError,
  NautilusError,
  type Observer,
  type Random,
} from '../../core/index.ts';
import { toByteText } from '../byte-text.ts';
import type { RegistryStorage, StorageCapabilities } from '../storage.ts';
import { within } from '../within.ts';
import { CircuitBreaker, type CircuitBreakerInit, type CircuitState } from './circuit-breaker.ts';
import { shardTag } from './hint.ts';
import { JobNotStarted, JobQueue } from './job-queue.ts';

export interface ShardComponents {
  readonly name: string;
  open(signal: AbortSignal): Promise<RegistryStorage>;
  readonly clock: Clock;
  readonly random: Random;
  /** Told `shard-…` */
  readonly observer: Observer;
}

export interface ShardInit extends CircuitBreakerInit {
  /** Jobs in its inbox, waiting and running. */
  readonly maxJobs: number;
  readonly maxRunning: number;
  /** Of every call, from the moment it is asked for. */
  readonly callTimeoutMs: number;
  /** A storage may have a lot to check before it opens. */
  readonly openTimeoutMs: number;
}

export const DEFAULT_SHARD_INIT: ShardInit = {
  maxJobs: 4_096,
  maxRunning: 256,
  callTimeoutMs: 2_000,
  openTimeoutMs: 30_000,
  failures: 3,
  pauseMs: 1_000,
  maxPauseMs: 30_000,
};

/** What the ring does with a storage before it is used: after it was opened, and after each failure. Rejects: it is not usable yet. */
export type Admission = (storage: RegistryStorage, isFirst: boolean) => Promise<void>;

export class Shard {
  readonly name: string;
  /** Stands for its name in keys. */
  readonly tag: Uint8Array;
  readonly #components: ShardComponents;
  readonly #init: ShardInit;
  readonly #queue: JobQueue;
  readonly #breaker: CircuitBreaker;
  readonly #closing = new AbortController();
  #admit: Admission = async () => undefined;
  #onChange: (state: CircuitState) => void = () => undefined;
  #storage: RegistryStorage | undefined;
  #opening: Promise<RegistryStorage> | undefined;
  #probing: Promise<void> | undefined;
  #isAdmitted = false;
  #lastError: { readonly message: string; readonly at: number } | undefined;

  constructor(components: ShardComponents, init: ShardInit) {
    this.#components = components;
    this.#init = init;
    this.name = components.name;
    this.tag = shardTag(components.name);
    this.#breaker = new CircuitBreaker({ ...components, onChange: (state) => this.#changed(state) }, init);
    this.#queue = new JobQueue({
      owner: `the storage ${this.name}`,
      clock: components.clock,
      maxJobs: init.maxJobs,
      maxRunning: init.maxRunning,
      timeoutMs: init.callTimeoutMs,
      onSettled: (error) => this.#settled(error),
    });
  }

  get state(): CircuitState {
    return this.#breaker.state;
  }

  /** It may be asked. */
  get isUp(): boolean {
    return this.#isAdmitted && this.#breaker.state === 'closed';
  }

  /** Undefined until it was opened once. */
  get capabilities(): StorageCapabilities | undefined {
    return this.#storage?.capabilities;
  }

  get queueDepth(): number {
    return this.#queue.depth;
  }

  get lastError(): { readonly message: string; readonly at: number } | undefined {
    return this.#lastError;
  }

  /** The storage itself, opened once: for the ring's own look at it before it is admitted. */
  async open(): Promise<RegistryStorage> {
    if (this.#storage !== undefined) return this.#storage;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(): Promise<RegistryStorage> {
    const { clock, name, observer } = this.#components;
    const giveUp = new AbortController();
    const opening = this.#components.open(AbortSignal.any([giveUp.signal, this.#closing.signal]));
    const { openTimeoutMs } = this.#init;
    try {
      const late = () => slow(`the storage ${name} did not open`, openTimeoutMs);
      this.#storage = await within(opening, { clock, timeoutMs: openTimeoutMs, late });
    } catch (error) {
      giveUp.abort(error);
      // It may open yet: nobody would ever close it.
      opening.then(
        (storage) => storage.close(),
        () => undefined,
      );
      throw error;
    }
    observer.notify({ type: 'shard-opened', shard: name });
    return this.#storage;
  }

  /** From then on it is asked, or, when it could not be opened, tried again and again. */
  start(admit: Admission, onChange: (state: CircuitState) => void, failure?: unknown): void {
    this.#admit = admit;
    this.#onChange = onChange;
    if (failure === undefined) this.#isAdmitted = true;
    else {
      this.#note(failure);
      this.#breaker.open();
    }
  }

  /**
   * @throws NautilusError `SHARD_DOWN` when it was not asked; `RESOURCE_EXHAUSTED`; what `work` rejects with, or `STORAGE_FAILED` past the deadline: then it may
   * have happened
   */
  async call<T>(keys: readonly Uint8Array[], work: (storage: RegistryStorage) => Promise<T>): Promise<T> {
    const storage = this.#storage;
    if (!this.isUp || storage === undefined) throw this.down();
    try {
      return await this.#queue.add(keys.map(toByteText), () => work(storage));
    } catch (error) {
      throw error instanceof JobNotStarted ? this.down() : error;
    }
  }

  down(): NautilusError {
    const reason = this.#lastError === undefined ? '' : ` (${this.#lastError.message})`;
    return new NautilusError(
      'SHARD_DOWN',
      `the storage ${this.name} is down${reason}: "nautilus storage status" shows when it is back`,
      { details: { shard: this.name } },
    );
  }

  /** What was begun is finished, within its deadline. */
  async close(): Promise<void> {
    this.#breaker.stop();
    this.#closing.abort(new NautilusError('ABORTED', 'the node is stopping'));
    await this.#queue.idle();
    await this.#probing;
    // Given up by the signal; whatever opens nevertheless has to be closed.
    await this.#opening?.catch(() => undefined);
    await this.#storage?.close();
  }

  #changed(state: CircuitState): void {
    const { observer, name } = this.#components;
    if (state === 'open') this.#queue.flush();
    if (state === 'half-open') this.#probing = this.#probe();
    const reason = state === 'closed' ? undefined : this.#lastError?.message;
    observer.notify({ type: 'shard-circuit', shard: name, state, ...(reason !== undefined && { reason }) });
    this.#onChange(state);
  }

  async #probe(): Promise<void> {
    const { clock, name } = this.#components;
    try {
      const isFirst = !this.#isAdmitted;
      const storage = await this.open();
      const admission = this.#admit(storage, isFirst);
      // Reading what a shard has kept for others may take longer than one call.
      const timeoutMs = isFirst ? this.#init.openTimeoutMs : this.#init.callTimeoutMs;
      const late = () => slow(`the storage ${name} did not answer`, timeoutMs);
      await within(admission, { clock, timeoutMs, late });
      this.#isAdmitted = true;
      if (!this.#closing.signal.aborted) this.#breaker.succeeded();
    } catch (error) {
      this.#note(error);
      this.#breaker.failed();
    }
  }

  #settled(error: { readonly reason: unknown } | undefined): void {
    if (error === undefined || !isShardFailure(error.reason)) {
      if (this.#breaker.state === 'closed') this.#breaker.succeeded();
      return;
    }
    this.#note(error.reason);
    const { observer, name } = this.#components;
    const code = isNautilusError(error.reason) ? error.reason.code : 'STORAGE_FAILED';
    observer.notify({ type: 'shard-job-failed', shard: name, code, reason: this.#lastError?.message ?? '' });
    if (this.#breaker.state === 'closed') this.#breaker.failed();
  }

  #note(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#lastError = { message, at: this.#components.clock.now() };
  }
}

/** The storage could not do what it should. A full disk can still be read, a full queue is no failure, and a bug of the caller least of all. */
export function isShardFailure(error: unknown): boolean {
  if (isNautilusError(error)) return error.code === 'STORAGE_FAILED' || error.code === 'TIMEOUT';
  return !(error instanceof AssertionError);
}

function slow(what: string, timeoutMs: number): NautilusError {
  return new NautilusError('STORAGE_FAILED', `${what} within ${timeoutMs} ms: check it`);
}
