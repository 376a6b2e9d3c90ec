/**
 * Frees the place of expired entries: a small statement now and then, on a connection of its own, so that no call waits for it. Nobody reads
 * an expired entry anyway; this is about room. A sweep that fails is tried again later: the calls say what is wrong with the server.
 */
import type { Clock, Timer } from '../../core/index.ts';

export interface PostgresSweepComponents {
  readonly clock: Clock;
  /** Removes up to `limit` expired entries and tells how many it were. */
  readonly sweep: (limit: number) => Promise<number>;
}

const LIMIT = 500;
const INTERVAL_MS = 1_000;
/** While there is more: about 5,000 entries a second, and as much time for everybody else. */
const PACE_MS = 100;
const AFTER_FAILURE_MS = 10_000;

export class PostgresSweep {
  readonly #components: PostgresSweepComponents;
  #timer: Timer;
  #working: Promise<void> | undefined;
  #isStopped = false;

  constructor(components: PostgresSweepComponents) {
    this.#components = components;
    this.#timer = this.#arm(INTERVAL_MS);
  }

  /** Resolves when the statement at work is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer.cancel();
    await this.#working;
  }

  #arm(delayMs: number): Timer {
    return this.#components.clock.setTimer(delayMs, () => {
      this.#working = this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    const delayMs = await this.#components.sweep(LIMIT).then(
      (count) => (count < LIMIT ? INTERVAL_MS : PACE_MS),
      () => AFTER_FAILURE_MS,
    );
    if (!this.#isStopped) this.#timer = this.#arm(delayMs);
  }
}
