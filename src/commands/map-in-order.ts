/**
 * Works on many items at once and hands the results out in the items' order. A slow item delays what comes after it in the output, not the
 * work on it.
 */

/**
 * `work` should turn failures into results: a rejection ends the iteration. After an abort no further item is begun and the iteration throws
 * the signal's reason.
 * @param concurrency items worked on at the same time
 */
export async function* mapInOrder<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item) => Promise<Result>,
  signal?: AbortSignal | undefined,
): AsyncGenerator<Result> {
  // BOUNDED: one result per item of the caller's array.
  const results = new Map<number, Result>();
  let next = 0;
  let wake: () => void = () => undefined;
  let stopped = false;
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !stopped && !signal?.aborted) {
      const index = next++;
      results.set(index, await work(items[index] as Item));
      wake();
    }
  };
  const workers = Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker)).catch((error) => {
    failure = { error };
    wake();
  });
  const onAbort = () => wake();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (let index = 0; index < items.length; index++) {
      while (!results.has(index)) {
        signal?.throwIfAborted();
        if (failure !== undefined) throw failure.error;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      yield results.get(index) as Result;
      results.delete(index);
    }
    await workers;
  } finally {
    stopped = true;
    signal?.removeEventListener('abort', onAbort);
  }
}
