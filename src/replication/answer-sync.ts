/** The answering side of a reconciliation (reconciliation.ts): says what differs, lists what is few, reads out what is asked for. */
import {
  type Contact,
  DIGEST_BYTES,
  type FetchRequest,
  type FetchResponse,
  MAX_RECORDS,
  MAX_SYNC_CELLS,
  RECORDS_BUDGET_BYTES,
  recordBytes,
  type SyncPart,
  type SyncRequest,
  type SyncResponse,
} from '../kademlia/index.ts';
import {
  bytesEqual,
  type CellRange,
  cellId,
  compareBytes,
  type HeldRecord,
  type RecordStore,
} from '../records/index.ts';
import type { HeldCells } from './held-cells.ts';
import { digestAt, LISTED_CELLS } from './reconciliation.ts';

export interface AnswerSyncComponents {
  readonly held: HeldCells;
  readonly repair: {
    /** This node has missed nothing there. */
    isSettledIn(ranges: readonly CellRange[]): boolean;
    /** The asker holds what we hold in all of these ranges. */
    onAgreed(from: Contact, ranges: readonly CellRange[], settled: boolean): void;
    /** It does not, and is finding out where. */
    onDiffered(from: Contact): void;
  };
}

export async function answerSync(
  { held, repair }: AnswerSyncComponents,
  from: Contact,
  { ranges, digests, settled }: SyncRequest,
): Promise<SyncResponse> {
  const isSettled = repair.isSettledIn(ranges);
  if (digests.length === DIGEST_BYTES && bytesEqual(digests, held.combinedDigest(ranges))) {
    repair.onAgreed(from, ranges, settled);
    return { type: 'SYNC', parts: [], settled: isSettled };
  }
  repair.onDiffered(from);
  // One digest of one range is its own, or near enough: few cells are listed at once.
  const isEach = digests.length > DIGEST_BYTES || ranges.length === 1;
  const parts: SyncPart[] = [];
  let listed = 0;
  for (const [i, range] of ranges.entries()) {
    const digest = held.digest(range);
    const canList = isEach && listed + LISTED_CELLS <= MAX_SYNC_CELLS;
    if (isEach && bytesEqual(digest, digestAt(digests, i))) parts.push({ kind: 'same' });
    else if (canList && held.count(range) <= LISTED_CELLS) {
      const cells = await held.versions(range);
      listed += cells.length;
      parts.push({ kind: 'cells', cells });
    } else parts.push({ kind: 'differs', digest });
  }
  return { type: 'SYNC', parts, settled: isSettled };
}

/** Records in the order of their cells, as many as a frame takes. */
export async function answerFetch(
  store: RecordStore,
  { ranges, withValues, after }: FetchRequest,
): Promise<FetchResponse> {
  const records: HeldRecord[] = [];
  let bytes = 0;
  for (const range of ranges) {
    for await (const { header, value } of store.cells({ range, ...(after !== undefined && { after }) })) {
      if (after !== undefined && compareBytes(cellId(header), after) <= 0) continue;
      const record = { header, value: withValues ? value : undefined };
      const size = recordBytes(record);
      const isFull = records.length === MAX_RECORDS || (records.length > 0 && bytes + size > RECORDS_BUDGET_BYTES);
      if (isFull) return { type: 'FETCH', records, more: true };
      records.push(record);
      bytes += size;
    }
  }
  return { type: 'FETCH', records, more: false };
}
