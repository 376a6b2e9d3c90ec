/**
 * What one node believes the time is: the world's clock with its own offset and drift. It belongs to one life of the node: it stands in for
 * the process when that is stopped (timers wait until it goes on) or killed (they never fire).
 */
import type { Clock, Timer } from '../../src/core/index.ts';
import { QueuedEvent } from './event-queue.ts';
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
    const timer = new CallbackTimer(this, callback);
    this.schedule(delayMs, timer);
    return timer;
  }

  /** As `setTimer`, for what is its own timer. */
  schedule(delayMs: number, timer: NodeTimer): void {
    this.#world.schedule(delayMs / this.#rate, timer);
  }

  /** For its timers alone: one is due in the world's time. */
  onDue(timer: NodeTimer): void {
    if (this.#state === 'running') timer.onTime();
    else if (this.#state === 'paused') this.#due.push(timer);
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
    for (const timer of due) this.#world.schedule(0, timer);
  }

  kill(): void {
    this.#state = 'dead';
    this.#due = [];
  }
}

/** A timer of one node: it comes due in the world's time, and on time only while the node runs. */
export abstract class NodeTimer extends QueuedEvent {
  /** Undefined once cancelled. */
  #clock: NodeClock | undefined;

  constructor(clock: NodeClock) {
    super();
    this.#clock = clock;
  }

  abstract onTime(): void;

  fire(): void {
    this.#clock?.onDue(this);
  }

  /** Also while it waits for a paused node. */
  override cancel(): void {
    this.#clock = undefined;
    super.cancel();
  }
}

class CallbackTimer extends NodeTimer {
  /** Let go as soon as it is of no use: a cancelled timer may lie in the queue for long. */
  #callback: (() => void) | undefined;

  constructor(clock: NodeClock, callback: () => void) {
    super(clock);
    this.#callback = callback;
  }

  onTime(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  override cancel(): void {
    this.#callback = undefined;
    super.cancel();
  }
}
