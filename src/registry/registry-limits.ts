/** How much a registry keeps, and whom it turns away when it is full. */
import type { NetworkConstants, RefusalReason } from '../records/index.ts';
import type { CellSummary } from './record-cell.ts';

export interface RegistryLimits {
  /** Cells: live records, tombstones and floors. @default 1_000_000 */
  readonly maxRecords: number;
  /** Bytes of their entries. @default 4 GiB */
  readonly maxBytes: number;
  /** Merges that may wait for the storage at once. @default 4_096 */
  readonly maxPendingMerges: number;
}

export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = {
  maxRecords: 1_000_000,
  maxBytes: 4 * 1024 ** 3,
  maxPendingMerges: 4_096,
};

/** How far tombstones and floors of cells not held yet may go beyond the limits. */
export const RESERVE = 1.25;

/**
 * Cells one key may have over all publishers, dead ones included, as a multiple of the live ones it may have: a holder's answer carries the
 * headers of all of them, and the wire takes 200.
 */
const CELLS_PER_LIVE_PUBLISHER = 3;

export interface Newcomer {
  /** Live, or a tombstone or floor. */
  readonly isLive: boolean;
  /** False when the cell is held, as a tombstone or floor, and comes back to life: the store has it, the key's live places may be taken. */
  readonly isNewCell: boolean;
  readonly bytes: number;
}

export interface Occupancy {
  readonly cells: number;
  readonly bytes: number;
}

/** Undefined when there is room. `others`: the other cells of its key, at time `now`. */
export function refuseNewcomer(
  newcomer: Newcomer,
  others: readonly CellSummary[],
  now: number,
  occupancy: Occupancy,
  limits: RegistryLimits,
  constants: NetworkConstants,
): RefusalReason | undefined {
  const { maxPublishersPerKey } = constants;
  if (newcomer.isLive) {
    const live = others.filter(({ liveBytes, expiresAt }) => liveBytes !== undefined && expiresAt > now);
    if (live.length >= maxPublishersPerKey) return 'KEY_FULL';
  }
  if (!newcomer.isNewCell) return undefined;
  if (others.length >= maxPublishersPerKey * CELLS_PER_LIVE_PUBLISHER) return 'KEY_FULL';
  const stretch = newcomer.isLive ? 1 : RESERVE;
  const fits =
    occupancy.cells + 1 <= limits.maxRecords * stretch && occupancy.bytes + newcomer.bytes <= limits.maxBytes * stretch;
  return fits ? undefined : 'STORE_FULL';
}
