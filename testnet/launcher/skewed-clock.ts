/** A machine's clock that somebody has set wrong. Timers and the monotonic time do not notice. */
import type { Clock, Timer } from '../../src/core/index.ts';

export class SkewedClock implements Clock {
  /** How far the wall clock is ahead, ms. */
  skewMs: number;
  readonly #clock: Clock;

  constructor(clock: Clock, skewMs: number) {
    this.#clock = clock;
    this.skewMs = skewMs;
  }

  now(): number {
    return this.#clock.now() + this.skewMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#clock.setTimer(delayMs, callback);
  }
}
