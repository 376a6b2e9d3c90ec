import type { Clock } from './clock.ts';

export interface TokenBucketInit {
  /** Tokens that come back per second. */
  readonly perSecond: number;
  /** Tokens a quiet caller may spend at once. */
  readonly burst: number;
}

/** Rate limit: spending is refused, never queued. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #init: TokenBucketInit;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, init: TokenBucketInit) {
    this.#clock = clock;
    this.#init = init;
    this.#tokens = init.burst;
    this.#filledAt = clock.monotonic();
  }

  /** Takes `tokens` if that many are there. */
  trySpend(tokens = 1): boolean {
    this.#fill();
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }

  /** Not even one token is left. */
  get isEmpty(): boolean {
    this.#fill();
    return this.#tokens < 1;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#init.burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#init.perSecond);
    this.#filledAt = now;
  }
}
