import { type Clock, sleep } from '../../core/index.ts';

export interface WithinOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What a call that takes longer fails with. */
  readonly late: () => Error;
}

/** Waits so long and no longer; what was begun goes on. */
export async function within<T>(work: Promise<T>, { clock, timeoutMs, signal, late }: WithinOptions): Promise<T> {
  const over = new AbortController();
  const until = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const tooLate = sleep(clock, timeoutMs, until).then(() => {
    throw late();
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    over.abort();
    // Told already, or of no interest any more.
    tooLate.catch(() => undefined);
  }
}
