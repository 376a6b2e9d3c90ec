/** The time port. Pure rooms take time only from here, so that the simulator can own it. */
export interface Clock {
  /** Wall clock, ms since the epoch. May jump either way: use it for what goes on the wire, never to measure. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary start: only differences mean anything. */
  monotonic(): number;
  /** Calls `callback` once, at least `delayMs` later. A pending timer never keeps a process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Timer {
  /** Idempotent; a no-op once the timer has fired. */
  cancel(): void;
}
