import type { Clock } from '../core/index.ts';

/** Resolves when `work` does or `limitMs` have passed, whichever comes first; rejects as `work` does. The work goes on. */
export function settleWithin(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(limitMs, resolve);
    work.then(() => resolve(), reject).finally(() => timer.cancel());
  });
}
