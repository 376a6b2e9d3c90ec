/** The checks of a header that need no signature and no store, cheapest first: a holder runs them before it spends anything on a stranger. */
import { bytesEqual } from './bytes.ts';
import type { NetworkConstants } from './network-constants.ts';
import { EMPTY_VALUE_HASH, type RecordHeader } from './record.ts';
import type { RefusalReason } from './refusal.ts';

/** Undefined when nothing speaks against it. Expiry is the caller's to judge: an expired header is no record, but a valid floor. */
export function validateHeader(
  header: RecordHeader,
  now: number,
  constants: NetworkConstants,
): RefusalReason | undefined {
  const { key, publisher, seq, expiresAt, deleted, valueHash } = header;
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(expiresAt) || seq < 0 || expiresAt < 0) return 'MALFORMED';
  if (seq > (now + constants.maxClockSkewMs) * 1000) return 'FROM_THE_FUTURE';
  if (expiresAt > now + constants.maxTtlMs + constants.maxClockSkewMs) return 'TTL_TOO_LONG';
  if (deleted && !bytesEqual(valueHash, EMPTY_VALUE_HASH)) return 'MALFORMED';
  switch (key.class) {
    case 'owned':
      if (key.owner === undefined || !bytesEqual(key.owner, publisher)) return 'NOT_OWNER';
      return seq === 0 ? 'MALFORMED' : undefined;
    case 'immutable':
      if (deleted || seq !== 0) return 'MALFORMED';
      return key.contentHash !== undefined && bytesEqual(key.contentHash, valueHash) ? undefined : 'VALUE_MISMATCH';
    case 'open':
      return seq === 0 ? 'MALFORMED' : undefined;
  }
}
