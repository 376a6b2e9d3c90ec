/**
 * One call of the storage, as its caller sees it: over with its last answer, its deadline or its signal, whichever comes first. It asks for
 * one thing or for many; what it asked for looks at `isOver` before it is sent.
 */
import { type Clock, onAbort, type Timer } from '../../core/index.ts';
import { PostgresSilence } from './postgres-errors.ts';

export interface PostgresCallOptions {
  readonly clock: Clock;
  /** Without an answer to any part, so that a long batch ends by silence and not by its length. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly toError: (error: unknown) => Error;
}

export class PostgresCall<T> {
  /** The answers, in the order of the parts. */
  readonly promise: Promise<readonly T[]>;
  readonly #options: PostgresCallOptions;
  readonly #answers: T[];
  #missing: number;
  #end: { resolve(answers: readonly T[]): void; reject(error: unknown): void } | undefined;
  #timer: Timer | undefined;
  #unwatch: () => void = () => undefined;
  #heardAt: number;

  /** @param count of its parts, one or more */
  constructor(count: number, options: PostgresCallOptions) {
    const { clock, signal } = options;
    this.#options = options;
    this.#answers = new Array<T>(count);
    this.#missing = count;
    this.promise = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.#heardAt = clock.monotonic();
    this.#arm();
    if (signal !== undefined) this.#unwatch = onAbort(signal, () => void this.#finish()?.reject(signal.reason));
  }

  get isOver(): boolean {
    return this.#end === undefined;
  }

  /** What `start` throws is the answer. */
  begin(start: () => void): Promise<readonly T[]> {
    try {
      start();
    } catch (error) {
      this.fail(error);
    }
    return this.promise;
  }

  /** Once per part. */
  settle(place: number, answer: T): void {
    if (this.isOver) return;
    this.#answers[place] = answer;
    this.#missing--;
    if (this.#missing === 0) this.#finish()?.resolve(this.#answers);
    else this.#heardAt = this.#options.clock.monotonic();
  }

  fail(error: unknown): void {
    this.#finish()?.reject(this.#options.toError(error));
  }

  #arm(): void {
    const { clock, timeoutMs } = this.#options;
    const remainingMs = () => this.#heardAt + timeoutMs - clock.monotonic();
    this.#timer = clock.setTimer(remainingMs(), () => {
      if (remainingMs() > 0) this.#arm();
      else this.fail(new PostgresSilence(`no answer within ${timeoutMs} ms`));
    });
  }

  #finish() {
    const end = this.#end;
    this.#end = undefined;
    this.#timer?.cancel();
    this.#unwatch();
    return end;
  }
}
