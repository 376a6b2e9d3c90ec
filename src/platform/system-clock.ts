/** The machine's clock behind the Clock port. Timers are unref'd: what keeps a process alive is its sockets, never a timer. */
import { assert, type Clock } from '../core/index.ts';

/** Node turns a longer delay into 1 ms. */
const LONGEST_NODE_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    assert(!Number.isNaN(delayMs), 'a timer needs a delay');
    const dueAt = performance.now() + delayMs;
    let handle: NodeJS.Timeout | undefined;
    const arm = (remainingMs: number) => {
      handle = setTimeout(fire, Math.min(Math.max(Math.ceil(remainingMs), 1), LONGEST_NODE_TIMER_MS)).unref();
    };
    // Re-arming serves delays over 24.8 days, and timers that Node fires up to a millisecond early: the port promises "at least".
    const fire = () => {
      const remainingMs = dueAt - performance.now();
      if (remainingMs > 0) arm(remainingMs);
      else callback();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
