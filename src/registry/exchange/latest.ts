/** The newest of a row of values, for whoever watches at their own pace: what came and went between two looks is not seen. */
import { onAbort } from '../../core/index.ts';

export class Latest<T> {
  #value: T | undefined;
  #turn = 0;
  #end: { readonly error: unknown } | 'done' | undefined;
  // BOUNDED: by those who watch, and those who stopped since the last change.
  #waiting: (() => void)[] = [];

  get value(): T | undefined {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    this.#turn++;
    this.#wake();
  }

  /** @param failure what everybody who watches is told */
  end(failure?: { readonly error: unknown }): void {
    this.#end = failure ?? 'done';
    this.#wake();
  }

  /** @throws what it ended with, or the signal's reason */
  async *watch(signal?: AbortSignal): AsyncGenerator<T, void> {
    let seen = 0;
    for (;;) {
      signal?.throwIfAborted();
      if (seen !== this.#turn) {
        seen = this.#turn;
        yield this.#value as T;
      } else if (this.#end === undefined) {
        await this.#next(signal);
      } else if (this.#end === 'done') {
        return;
      } else {
        throw this.#end.error;
      }
    }
  }

  async #next(signal: AbortSignal | undefined): Promise<void> {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.push(wake);
    const unwatch = signal && onAbort(signal, wake);
    await woken;
    unwatch?.();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
