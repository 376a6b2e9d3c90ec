/** Why a holder did not take a record. Travels in receipts: the numbers are wire format, the names what people read. */
export const REFUSAL_CODES = {
  MALFORMED: 1,
  TOO_LARGE: 2,
  EXPIRED: 3,
  TTL_TOO_LONG: 4,
  FROM_THE_FUTURE: 5,
  NOT_OWNER: 6,
  VALUE_MISMATCH: 7,
  BAD_SIGNATURE: 8,
  /** A newer version of the same publisher is held. */
  STALE: 9,
  /** Only the header came and the holder has not got the value. */
  VALUE_NEEDED: 10,
  KEY_FULL: 11,
  STORE_FULL: 12,
  QUOTA_EXCEEDED: 13,
  /** The holder knows 2K closer live nodes. */
  TOO_FAR: 14,
  /** Clients and bootstrap nodes store nothing. */
  NOT_STORING: 15,
  STORAGE_FAILED: 16,
  UNSUPPORTED_VERSION: 17,
} as const;

export type RefusalReason = keyof typeof REFUSAL_CODES;

const REASONS = new Map<number, RefusalReason>(
  Object.entries(REFUSAL_CODES).map(([reason, code]) => [code, reason as RefusalReason]),
);

/** Undefined for a code of a newer version. */
export function refusalFromCode(code: number): RefusalReason | undefined {
  return REASONS.get(code);
}
