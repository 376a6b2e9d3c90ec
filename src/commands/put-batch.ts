import { z } from 'zod';
import { BATCH_CONCURRENCY, MAX_BATCH_RECORDS, recordOutcome } from './batch.ts';
import { defineCommand } from './command.ts';
import { recordFields, ttlField, writeFields } from './input-fields.ts';
import { mapInOrder } from './map-in-order.ts';
import { parseInput } from './parse-input.ts';
import { decodeValue } from './value-encoding.ts';

const recordSchema = z.strictObject(recordFields, { error: 'is not an object like {"key","value","ttl"}' });

/** One result per record, in their order. */
export const putBatch = defineCommand({
  name: 'put-batch',
  summary: 'store many records, several at a time',
  input: z.strictObject({
    records: z.array(z.unknown()).max(MAX_BATCH_RECORDS, { error: `at most ${MAX_BATCH_RECORDS} records at once` }),
    ttl: ttlField,
    ...writeFields,
  }),
  handler: (api, { records, ttl: ttlOfAll, quorum, strict }, context) =>
    mapInOrder(
      records,
      BATCH_CONCURRENCY,
      (record) =>
        recordOutcome(keyOf(record), context, async () => {
          const { key, value, encoding, ttl } = parseInput(recordSchema, record);
          const options = { ttlMs: ttl ?? ttlOfAll, quorum, strict, signal: context.signal };
          return await api.put(key, decodeValue(value, encoding), options);
        }),
      context.signal,
    ),
});

/** The key as it was given, to name the record in a failure. */
function keyOf(record: unknown): string | null {
  if (typeof record !== 'object' || record === null || !('key' in record)) return null;
  return typeof record.key === 'string' ? record.key : null;
}
