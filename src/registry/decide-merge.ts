/** What becomes of a record that arrives, given every cell of its key that is known. Looks at nothing else and changes nothing. */
import {
  bytesEqual,
  cellId,
  compareVersions,
  floorUntil,
  type HeldRecord,
  isLive,
  isRenewal,
  type MergeOutcome,
  mergeRecords,
  type NetworkConstants,
  type RefusalReason,
} from '../records/index.ts';
import { entryBytes, fromCellEntry, summarizeCell, toCellEntry } from './record-cell.ts';
import { type Newcomer, type Occupancy, type RegistryLimits, refuseNewcomer } from './registry-limits.ts';
import type { StorageEntry, StoredEntry } from './storage.ts';

export interface MergeCircumstances {
  /** ms since the epoch */
  readonly now: number;
  readonly occupancy: Occupancy;
  readonly constants: NetworkConstants;
  readonly limits: RegistryLimits;
}

export interface MergeWrite {
  readonly kind: 'write';
  readonly record: HeldRecord;
  readonly entry: StorageEntry;
  readonly expected: number | 'absent';
  readonly newcomer: Newcomer;
  /** Not only the value is new. */
  readonly isHeaderNew: boolean;
  /** Newest seq of the key over all publishers, without and with the record. */
  readonly heldSeq: number;
  readonly newestSeq: number;
}

export function decideMerge(
  { now, occupancy, constants, limits }: MergeCircumstances,
  incoming: HeldRecord,
  cells: readonly StoredEntry[],
): MergeOutcome | MergeWrite {
  const id = cellId(incoming.header);
  const heldEntry = cells.find(({ key }) => bytesEqual(key, id));
  const held = heldEntry && fromCellEntry(heldEntry);
  const others = cells.filter((cell) => cell !== heldEntry).map(summarizeCell);
  const heldSeq = others.reduce((newest, { seq }) => Math.max(newest, seq), held?.header.seq ?? 0);
  const newestSeq = Math.max(heldSeq, incoming.header.seq);
  const refuse = (reason: RefusalReason): MergeOutcome => ({ kind: 'refused', reason, newestSeq: heldSeq });

  const merged = held === undefined ? incoming : mergeRecords(held, incoming);
  if (held !== undefined && compareVersions(held.header, incoming.header) > 0) {
    // The same record with a later end is what was asked for and more: an immutable value put again, a renewal that was overtaken.
    const isCovered = isRenewal(held.header, incoming.header) && isLive(held.header, now);
    return isCovered ? { kind: 'stored', until: held.header.expiresAt, newestSeq } : refuse('STALE');
  }
  const isMergedLive = isLive(merged.header, now);
  if (isMergedLive && merged.value === undefined) return refuse('VALUE_NEEDED');
  const record = isMergedLive ? merged : { header: merged.header, value: undefined };
  const isHeldAlready =
    held !== undefined &&
    compareVersions(held.header, record.header) === 0 &&
    (held.value !== undefined || record.value === undefined);
  if (isHeldAlready) return { kind: 'stored', until: held.header.expiresAt, newestSeq };
  if (floorUntil(record.header, constants) <= now) return refuse('EXPIRED');

  const entry = toCellEntry(record, nextVersion(heldEntry, now), constants);
  const newcomer = { isLive: isMergedLive, isNewCell: held === undefined, bytes: entryBytes(entry) };
  if (held === undefined || !isLive(held.header, now)) {
    const refusal = refuseNewcomer(newcomer, others, now, occupancy, limits, constants);
    if (refusal !== undefined) return refuse(refusal);
  }
  const expected = heldEntry?.version ?? 'absent';
  const isHeaderNew = held === undefined || compareVersions(held.header, record.header) !== 0;
  return { kind: 'write', record, entry, expected, newcomer, isHeaderNew, heldSeq, newestSeq };
}

/** From the wall time on, so that no version comes twice even when a cell is removed and comes back. */
export function nextVersion(held: StorageEntry | undefined, now: number): number {
  return Math.max((held?.version ?? 0) + 1, Math.floor(now));
}
