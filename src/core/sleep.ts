import type { Clock } from './clock.ts';
import { onAbort } from './on-abort.ts';

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop =
      signal &&
      onAbort(signal, () => {
        timer.cancel();
        reject(signal.reason);
      });
    const timer = clock.setTimer(delayMs, () => {
      stop?.();
      resolve();
    });
  });
}
