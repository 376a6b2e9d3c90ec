import type { GetResult } from '../replication/index.ts';
import type { GetOutput } from './command-types.ts';
import { encodeValue } from './value-encoding.ts';

/** One object per record found, newest first, each with the facts of the whole search. */
export function toGetOutputs({ records, ...facts }: GetResult): GetOutput[] {
  return records.map(({ value, publisher, seq, expiresAt }) => ({
    key: facts.key,
    ...encodeValue(value),
    publisher,
    seq,
    expiresAt,
    asked: facts.asked,
    agreed: facts.agreed,
    partial: facts.partial,
    degraded: facts.degraded,
    hops: facts.hops,
    requests: facts.requests,
    elapsedMs: facts.elapsedMs,
  }));
}
