/**
 * Which of two records of the same (key, publisher) wins. One join, used wherever two copies meet (STORE, hand-off, reconciliation, every
 * storage), so that replicas converge whatever the order: commutative, associative, idempotent, and without looking at a clock.
 *
 * A record that expired or was deleted stays as its header, the *floor*: a proof, not a claim, that something newer existed. Because it takes
 * part in the same join, nothing older can be replayed over it.
 */
import { compareBytes } from './bytes.ts';
import type { NetworkConstants } from './network-constants.ts';
import type { HeldRecord, RecordHeader } from './record.ts';

const FLOOR_MARGIN_MS = 10 * 60_000;

/** > 0 when `a` wins, 0 when they are the same version. Only for headers of one cell (see `cellPublisher`). */
export function compareVersions(a: RecordHeader, b: RecordHeader): number {
  return (
    a.seq - b.seq ||
    Number(a.deleted) - Number(b.deleted) ||
    compareBytes(a.valueHash, b.valueHash) ||
    a.expiresAt - b.expiresAt ||
    // Immutable cells only: whoever published, replicas must agree on the same bytes.
    compareBytes(a.publisher, b.publisher)
  );
}

/** Same value at the same seq: only the expiry differs, so the value need not travel again. */
export function isRenewal(held: RecordHeader, incoming: RecordHeader): boolean {
  return (
    held.seq === incoming.seq &&
    held.deleted === incoming.deleted &&
    compareBytes(held.valueHash, incoming.valueHash) === 0
  );
}

/** The winner of two copies of one cell; a value is never lost to a header of the same version. */
export function mergeRecords(a: HeldRecord, b: HeldRecord): HeldRecord {
  const order = compareVersions(a.header, b.header);
  const [winner, loser] = order >= 0 ? [a, b] : [b, a];
  if (winner.value === undefined && loser.value !== undefined && isRenewal(loser.header, winner.header)) {
    return { header: winner.header, value: loser.value };
  }
  return winner;
}

const NOBODY = new Uint8Array(32);

/** What separates records of one key: the publisher, except that an immutable key has one cell for all. */
export function cellPublisher(header: Pick<RecordHeader, 'key' | 'publisher'>): Uint8Array {
  return header.key.class === 'immutable' ? NOBODY : header.publisher;
}

/**
 * Until when a holder keeps a header that is no longer live, ms since the epoch: an older record of this publisher was put, or last renewed,
 * before this seq, so it is dead one maximum TTL later. An immutable record has nothing older.
 */
export function floorUntil(header: RecordHeader, constants: Pick<NetworkConstants, 'maxTtlMs'>): number {
  if (header.key.class === 'immutable') return header.expiresAt;
  return Math.max(header.expiresAt, Math.floor(header.seq / 1000) + constants.maxTtlMs + FLOOR_MARGIN_MS);
}
