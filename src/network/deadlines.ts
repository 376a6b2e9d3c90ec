/**
 * Many deadlines, one timer: a request costs two set operations instead of a timer of its own. Deadlines are met up to `tickMs` late, never early.
 * Not here: what happens then (the entry knows).
 */
import type { Clock, Timer } from '../core/index.ts';

export interface Deadline {
  /** Written by Deadlines; 0: not armed. */
  dueTick: number;
  /** Called at most once per `add`, unless removed first. */
  expire(): void;
}

/** Waits are seldom below 50 ms. */
const TICK_MS = 10;

export class Deadlines {
  readonly #clock: Clock;
  // BOUNDED: by who adds: requests in flight, open streams and connections, each of which is bounded.
  readonly #byTick = new Map<number, Set<Deadline>>();
  #timer: Timer | undefined;
  /** When the timer fires; meaningless without one. */
  #armedTick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(deadline: Deadline, delayMs: number): void {
    if (deadline.dueTick !== 0) this.remove(deadline);
    const now = this.#clock.monotonic();
    const tick = Math.floor((now + delayMs) / TICK_MS) + 1;
    deadline.dueTick = tick;
    const due = this.#byTick.get(tick);
    if (due === undefined) this.#byTick.set(tick, new Set([deadline]));
    else due.add(deadline);
    if (this.#timer === undefined || tick < this.#armedTick) this.#arm(tick, now);
  }

  /** Leaves the timer alone: the next request would only arm it again. */
  remove(deadline: Deadline): void {
    const { dueTick } = deadline;
    const due = this.#byTick.get(dueTick);
    deadline.dueTick = 0;
    if (due?.delete(deadline) && due.size === 0) this.#byTick.delete(dueTick);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#byTick.clear();
  }

  #arm(tick: number, now: number): void {
    this.#timer?.cancel();
    this.#armedTick = tick;
    this.#timer = this.#clock.setTimer(tick * TICK_MS - now, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    const nowTick = Math.floor(now / TICK_MS);
    let next = Number.POSITIVE_INFINITY;
    for (const [tick, due] of this.#byTick) {
      if (tick > nowTick) {
        next = Math.min(next, tick);
        continue;
      }
      this.#byTick.delete(tick);
      for (const deadline of due) {
        if (deadline.dueTick !== tick) continue; // removed by one that expired before it
        deadline.dueTick = 0;
        deadline.expire();
      }
    }
    // What expired may have added an earlier one, and armed the timer for it.
    if (next !== Number.POSITIVE_INFINITY && (this.#timer === undefined || next < this.#armedTick))
      this.#arm(next, now);
  };
}
