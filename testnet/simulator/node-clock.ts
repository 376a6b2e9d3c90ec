/**
 * What one node believes the time is: the world's clock with its own offset and drift. It belongs to one life of the node: it stands in for
 * the process when that is stopped (timers wait until it goes on) or killed (they never fire).
 */
import type { Clock, Timer } from '../../src/core/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface ClockError {
  /** Wall clock ahead of the world's, ms. @default 0 */
  readonly skewMs?: number | undefined;
  /** How much faster this oscillator runs, parts per million. @default 0 */
  readonly driftPpm?: number | undefined;
}

export class NodeClock implements Clock {
  readonly #world: VirtualClock;
  readonly #rate: number;
  readonly #startedAt: number;
  #skewMs: number;
  #state: 'running' | 'paused' | 'dead' = 'running';
  // BOUNDED: by the timers the node had armed when it was paused.
  #due: NodeTimer[] = [];

  constructor(world: VirtualClock, error: ClockError = {}) {
    this.#world = world;
    this.#rate = 1 + (error.driftPpm ?? 0) / 1e6;
    this.#skewMs = error.skewMs ?? 0;
    this.#startedAt = world.monotonic();
  }

  now(): number {
    const drifted = (this.#world.monotonic() - this.#startedAt) * (this.#rate - 1);
    return Math.floor(this.#world.now() + this.#skewMs + drifted);
  }

  monotonic(): number {
    return this.#world.monotonic() * this.#rate;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = new NodeTimer(callback);
    timer.event = this.#world.setTimer(delayMs / this.#rate, () => {
      if (this.#state === 'running') timer.fire();
      else if (this.#state === 'paused') this.#due.push(timer);
    });
    return timer;
  }

  /** Somebody sets the wall clock; timers and the monotonic time do not notice. */
  setSkew(skewMs: number): void {
    this.#skewMs = skewMs;
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** What fell due meanwhile fires now, in its order. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const due = this.#due;
    this.#due = [];
    for (const timer of due) this.setTimer(0, () => timer.fire());
  }

  kill(): void {
    this.#state = 'dead';
    this.#due = [];
  }
}

class NodeTimer implements Timer {
  event: Timer | undefined;
  #callback: (() => void) | undefined;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  fire(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  cancel(): void {
    this.#callback = undefined;
    this.event?.cancel();
  }
}
