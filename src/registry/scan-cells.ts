/** The cells of a storage, in order, a batch at a time. Keys of other lengths (state kept beside them) are none. */
import { CELL_ID_BYTES, type CellRange, cellRange, compareBytes, rangeContains } from '../records/index.ts';
import { laterKey } from './key-order.ts';
import type { RegistryStorage, ScanOptions, StoredEntry } from './storage.ts';

const SCAN_BATCH = 256;

export interface ScanCellsOptions {
  /** @default all */
  readonly range?: CellRange | undefined;
  /** Only cells behind this one. */
  readonly after?: Uint8Array | undefined;
  /** Of a storage of which a part is away, what can be read; else it rejects. @default false */
  readonly isPresentOnly?: boolean | undefined;
  /** Only what lies in this part, of a storage that has parts. */
  readonly part?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** BOUNDED: reads ahead one batch. */
export async function* scanCells(
  storage: RegistryStorage,
  { range, after, isPresentOnly = false, part, signal }: ScanCellsOptions = {},
): AsyncGenerator<StoredEntry, void> {
  // A storage knows whole bytes only: the scan begins at the range's first cell and ends behind its last.
  const prefix = range === undefined ? undefined : range.prefix.subarray(0, range.bits >> 3);
  const { parts } = storage;
  const scan = (options: ScanOptions) =>
    isPresentOnly && parts !== undefined ? parts.scanPresent(options, part) : storage.scan(options);
  let behind = laterKey(range && startOf(range), after);
  for (;;) {
    const batch = await scan({
      limit: SCAN_BATCH,
      signal,
      ...(prefix !== undefined && prefix.length > 0 && { prefix }),
      ...(behind !== undefined && { after: behind }),
    });
    for (const entry of batch) {
      if (entry.key.length !== CELL_ID_BYTES) continue;
      if (range === undefined || rangeContains(range, entry.key)) yield entry;
      else if (compareBytes(entry.key, range.prefix) > 0) return;
    }
    if (batch.length < SCAN_BATCH) return;
    behind = batch.at(-1)!.key;
  }
}

/** What no cell of the range is, and all of them are behind: a shorter key sorts first. Undefined where the byte prefix says it already. */
function startOf({ prefix, bits }: CellRange): Uint8Array | undefined {
  return bits % 8 === 0 || prefix.length >= CELL_ID_BYTES ? undefined : prefix;
}

/** All cells of one record key: one for each publisher, as many as the limits allow. */
export async function cellsOfKey(
  storage: RegistryStorage,
  keyId: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<readonly StoredEntry[]> {
  const cells: StoredEntry[] = [];
  const range = cellRange(keyId, 8 * keyId.length);
  for await (const entry of scanCells(storage, { range, signal })) cells.push(entry);
  return cells;
}
