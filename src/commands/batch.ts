/** What the batch commands share: their bounds, and that one bad record never ends the others. */
import type { FailedRecord } from './command-types.ts';
import { toErrorObject } from './error-object.ts';
import type { CallOptions } from './node-api.ts';

/** Records in one command. Longer batches are sent as several commands, so that neither side ever holds a whole file. */
export const MAX_BATCH_RECORDS = 256;

/** Operations one batch command keeps in flight: enough to hide the round trips, few enough to leave room for everybody else. */
export const BATCH_CONCURRENCY = 16;

/** Runs one record's operation; its failure is its result. After an abort the failure no longer matters: the batch itself throws. */
export async function recordOutcome<Output>(
  key: string | null,
  { signal }: CallOptions,
  operation: () => Promise<Output>,
): Promise<Output | FailedRecord> {
  try {
    signal?.throwIfAborted();
    return await operation();
  } catch (error) {
    return { key, error: toErrorObject(error) };
  }
}
