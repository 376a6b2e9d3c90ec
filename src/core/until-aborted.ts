import { onAbort } from './on-abort.ts';

/** The outcome of `work`, unless `signal` aborts first: then its reason. What was begun goes on, and nobody hears of it. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    stop();
  }
}
