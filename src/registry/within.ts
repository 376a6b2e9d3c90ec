import { type Clock, untilAborted } from '../core/index.ts';

export interface WithinOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What a call that takes longer fails with. */
  readonly late: () => Error;
}

/** Waits so long and no longer; what was begun goes on. */
export async function within<T>(work: Promise<T>, { clock, timeoutMs, signal, late }: WithinOptions): Promise<T> {
  let fail: (reason: Error) => void = () => undefined;
  const tooLate = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const timer = clock.setTimer(timeoutMs, () => fail(late()));
  try {
    return await untilAborted(Promise.race([work, tooLate]), signal);
  } finally {
    timer.cancel();
  }
}
