import { setMaxListeners } from 'node:events';

/** The outcome of `work`, unless `signal` aborts first: then its reason. For work that cannot be cancelled: nobody waits, it finishes for itself. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  // Many wait under one signal, which is no leak: each takes its listener away.
  setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
