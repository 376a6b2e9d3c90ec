import { z } from 'zod';
import { BATCH_CONCURRENCY, MAX_BATCH_RECORDS, recordOutcome } from './batch.ts';
import { defineCommand } from './command.ts';
import type { GetOutput } from './command-types.ts';
import { toGetOutputs } from './get-output.ts';
import { keyField, readFields } from './input-fields.ts';
import { mapInOrder } from './map-in-order.ts';
import { parseInput } from './parse-input.ts';

const keySchema = z.strictObject({ key: keyField });

/** One result per key, in their order. */
export const getBatch = defineCommand({
  name: 'get-batch',
  summary: 'find the newest records of many keys, several at a time',
  input: z.strictObject({
    keys: z
      .array(z.string({ error: 'every key is text' }))
      .max(MAX_BATCH_RECORDS, { error: `at most ${MAX_BATCH_RECORDS} keys at once` }),
    ...readFields,
  }),
  handler: (api, { keys, ...options }, context) =>
    mapInOrder(
      keys,
      BATCH_CONCURRENCY,
      (given) =>
        recordOutcome(given, context, async () => {
          const { key } = parseInput(keySchema, { key: given });
          const [newest] = toGetOutputs(await api.get(key, { ...options, signal: context.signal }));
          return newest as GetOutput; // GetResult.records is never empty
        }),
      context.signal,
    ),
});
