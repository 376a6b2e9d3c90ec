/**
 * One call of the storage, as its caller sees it: over with its answer, its deadline or its signal, whichever comes first. What it had asked
 * for looks at `isOver` before it is sent.
 */
import { setMaxListeners } from 'node:events';
import type { Clock, Timer } from '../../core/index.ts';
import { PostgresSilence } from './postgres-errors.ts';

export interface PostgresCallOptions {
  readonly clock: Clock;
  /** Without an answer, and without any progress. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly toError: (error: unknown) => Error;
}

export class PostgresCall<T> {
  readonly promise: Promise<T>;
  readonly #options: PostgresCallOptions;
  #settle: { resolve(value: T): void; reject(error: unknown): void } | undefined;
  #timer: Timer | undefined;
  #movedAt: number;

  constructor(options: PostgresCallOptions) {
    this.#options = options;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#movedAt = options.clock.monotonic();
    this.#arm();
    if (options.signal === undefined) return;
    // Any number of calls may share one signal; each takes its listener back.
    setMaxListeners(0, options.signal);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get isOver(): boolean {
    return this.#settle === undefined;
  }

  /** What `start` throws is the answer. */
  begin(start: () => void): void {
    try {
      start();
    } catch (error) {
      this.reject(error);
    }
  }

  /** A part is done: the deadline begins anew, so that a long batch ends by silence and not by its length. */
  progress(): void {
    this.#movedAt = this.#options.clock.monotonic();
  }

  resolve(value: T): void {
    this.#end()?.resolve(value);
  }

  reject(error: unknown): void {
    this.#end()?.reject(this.#options.toError(error));
  }

  #arm(): void {
    const { clock, timeoutMs } = this.#options;
    const remainingMs = () => this.#movedAt + timeoutMs - clock.monotonic();
    this.#timer = clock.setTimer(remainingMs(), () => {
      if (remainingMs() > 0) this.#arm();
      else this.reject(new PostgresSilence(`no answer within ${timeoutMs} ms`));
    });
  }

  readonly #onAbort = (): void => {
    this.#end()?.reject(this.#options.signal?.reason);
  };

  #end() {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#timer?.cancel();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    return settle;
  }
}
