/** Tail-latency hedging (Dean & Barroso 2013): the next candidate starts when the last one fails or is slow, and the first success wins. */
import type { Clock } from '../core/index.ts';

export interface HedgeOptions<C> {
  readonly clock: Clock;
  /** How long a candidate may stay silent before the next one starts as well, ms. */
  hedgeAfterMs(candidate: C): number;
}

/** Undefined when every candidate failed or had nothing; `attempt` resolves undefined for that and does not reject. */
export function firstAnswer<C, T>(
  candidates: readonly C[],
  attempt: (candidate: C) => Promise<T | undefined>,
  { clock, hedgeAfterMs }: HedgeOptions<C>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let running = 0;
    let answered = false;
    const start = () => {
      const candidate = candidates[next];
      if (answered) return;
      if (candidate === undefined) {
        if (running === 0) resolve(undefined);
        return;
      }
      next += 1;
      running += 1;
      const timer = clock.setTimer(hedgeAfterMs(candidate), start);
      attempt(candidate).then((answer) => {
        timer.cancel();
        running -= 1;
        if (answer === undefined) return start();
        answered = true;
        resolve(answer);
      }, reject);
    };
    start();
  });
}
