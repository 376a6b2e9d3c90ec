/**
 * Wall time that never goes back: the latest the clock has shown, across restarts if the mark is kept. A clock that is set back therefore
 * resurrects nothing; until it has caught up, time stands still here.
 */
import type { Clock } from '../core/index.ts';

export class MonotoneTime {
  readonly #clock: Clock;
  #mark: number;

  /** @param mark the latest time seen before, ms since the epoch; 0 if unknown */
  constructor(clock: Clock, mark = 0) {
    this.#clock = clock;
    this.#mark = mark;
  }

  now(): number {
    this.#mark = Math.max(this.#mark, this.#clock.now());
    return this.#mark;
  }
}
