/** Exponential back-off with jitter: when a popular peer comes back, its clients must not all knock in the same second. */
import type { Random } from '../core/index.ts';

export interface BackoffOptions {
  /** Middle of the first delay, ms. @default 1_000 */
  readonly firstMs?: number | undefined;
  /** No delay is longer, ms. @default 60_000 */
  readonly maxMs?: number | undefined;
}

export class Backoff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #maxMs: number;
  #failures = 0;

  constructor(random: Random, { firstMs = 1_000, maxMs = 60_000 }: BackoffOptions = {}) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** The next delay, ms: twice as long as the one before, ± 25 %. */
  next(): number {
    const middle = Math.min(this.#firstMs * 2 ** this.#failures, this.#maxMs);
    this.#failures = Math.min(this.#failures + 1, 52);
    return Math.min(jittered(middle, this.#random), this.#maxMs);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** `delayMs` ± 25 %, uniform. */
export function jittered(delayMs: number, random: Random): number {
  return delayMs * (0.75 + random.next() / 2);
}
