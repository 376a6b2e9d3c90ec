/**
 * A clock that stands still until a test moves it. For tests of one part; whole networks run on the simulator's virtual clock.
 * Wall time and monotonic time are apart, so that a test can set the wall clock back as a person would.
 */
import type { Clock, Timer } from '../../src/core/index.ts';

interface PendingTimer {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  // BOUNDED: by what the code under test arms; `pendingTimers` lets a test assert it.
  readonly #timers = new Set<PendingTimer>();
  #wall: number;
  #elapsed = 0;
  #order = 0;

  /** @param startMs wall time at the start, ms since the epoch */
  constructor(startMs = 1_700_000_000_000) {
    this.#wall = startMs;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = { dueAt: this.#elapsed + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves both times forward, firing due timers in order of time, then of arming; what they start runs before the next one fires. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#nextDue(end); next !== undefined; next = this.#nextDue(end)) {
      this.#moveTo(Math.max(this.#elapsed, next.dueAt));
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  /** The wall clock jumps, as when somebody sets it; timers and monotonic time do not notice. */
  setWall(ms: number): void {
    this.#wall = ms;
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }

  #nextDue(end: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt > end) continue;
      if (next === undefined || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.order < next.order))
        next = timer;
    }
    return next;
  }
}

/** Runs every promise job that is ready, and those they start, before it resolves: the macrotask comes after all of them. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
