/**
 * Works on many items at once and hands the results out in the items' order. A slow item delays what comes after it in the output, not the
 * work on it.
 */
import { onAbort } from '../core/index.ts';

/**
 * `work` should turn failures into results: a rejection ends the iteration. After an abort no further item is begun and the iteration throws
 * the signal's reason.
 * @param work its signal follows that of the batch, and is shared with nobody who works at the same time: whatever listens to it, ten of a batch are no leak
 * @param concurrency items worked on at the same time
 */
export async function* mapInOrder<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal?: AbortSignal | undefined,
): AsyncGenerator<Result> {
  // BOUNDED: one result per item of the caller's array.
  const results = new Map<number, Result>();
  let next = 0;
  let wake: () => void = () => undefined;
  let stopped = false;
  let failure: { readonly error: unknown } | undefined;
  // BOUNDED: concurrency.
  const lanes: AbortController[] = [];
  const worker = async () => {
    const lane = new AbortController();
    lanes.push(lane);
    while (next < items.length && !stopped && !signal?.aborted) {
      const index = next++;
      results.set(index, await work(items[index] as Item, lane.signal));
      wake();
    }
  };
  const workers = Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker)).catch((error) => {
    failure = { error };
    wake();
  });
  const unwatch =
    signal &&
    onAbort(signal, () => {
      for (const lane of lanes) lane.abort(signal.reason);
      wake();
    });
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
    unwatch?.();
  }
}
