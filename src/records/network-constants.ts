/**
 * The numbers every node of one network must agree on. HELLO exchanges them and a peer with others is refused: two nodes that disagree about
 * K or the maximum TTL would each keep promises the other breaks.
 */
export interface NetworkConstants {
  /** Part of the protocol id and of every signature: records of one network mean nothing in another. */
  readonly network: string;
  /** Replication factor and bucket size. @default 20 */
  readonly k: number;
  /** Longest life of a record without renewal, ms. @default 30 days */
  readonly maxTtlMs: number;
  /** UTF-8 bytes. @default 512 */
  readonly maxKeyBytes: number;
  /** @default 65_536 */
  readonly maxValueBytes: number;
  /** Publishers one open key can have at once; newcomers are refused with `KEY_FULL`. @default 64 */
  readonly maxPublishersPerKey: number;
  /** How far ahead of a holder's clock a seq may be, ms. @default 60_000 */
  readonly maxClockSkewMs: number;
  /** Silence after which a member no longer counts towards K'. @default 30_000 */
  readonly suspicionTimeMs: number;
}

export const DEFAULT_NETWORK_CONSTANTS: NetworkConstants = {
  network: 'main',
  k: 20,
  maxTtlMs: 30 * 24 * 3_600_000,
  maxKeyBytes: 512,
  maxValueBytes: 65_536,
  maxPublishersPerKey: 64,
  maxClockSkewMs: 60_000,
  suspicionTimeMs: 30_000,
};

/** Life of a record whose publisher names none, ms. A default of this build, not of the network. */
export const DEFAULT_TTL_MS = 24 * 3_600_000;

/** Network names go into protocol ids and directory names. */
export const NETWORK_NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,62}$/;
