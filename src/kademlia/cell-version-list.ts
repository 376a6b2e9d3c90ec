/**
 * Versions of cells on the wire: one byte string of joined cell ids and value hashes, and an array of each number. A thousand of them are the
 * bulk of a comparison, and a quarter of the work of a thousand little arrays.
 */
import { CELL_ID_BYTES, compareBytes, copyBytes } from '../records/index.ts';
import type { CellVersion } from './messages.ts';
import { isNatural } from './wire-format.ts';

const HASH_BYTES = 32;
const ENTRY_BYTES = CELL_ID_BYTES + HASH_BYTES;

/** `[joinedCellIdsAndValueHashes, seqs, expiries, deletedFlags]` */
export function cellVersionsToFields(cells: readonly CellVersion[]): unknown[] {
  const joined = new Uint8Array(cells.length * ENTRY_BYTES);
  for (const [i, { cellId, valueHash }] of cells.entries()) {
    joined.set(cellId, i * ENTRY_BYTES);
    joined.set(valueHash, i * ENTRY_BYTES + CELL_ID_BYTES);
  }
  return [
    joined,
    cells.map(({ seq }) => seq),
    cells.map(({ expiresAt }) => expiresAt),
    cells.map(({ deleted }) => deleted),
  ];
}

/** Undefined when malformed, more than `limit`, or not in ascending order of cell ids. */
export function cellVersionsFromFields(fields: unknown, limit: number): CellVersion[] | undefined {
  if (!Array.isArray(fields)) return undefined;
  const [joined, seqs, expiries, deletedFlags] = fields as unknown[];
  if (!(joined instanceof Uint8Array)) return undefined;
  const count = joined.length / ENTRY_BYTES;
  if (!Number.isInteger(count) || count > limit) return undefined;
  if (!isListOf(seqs, count) || !isListOf(expiries, count) || !isListOf(deletedFlags, count)) return undefined;
  const cells: CellVersion[] = [];
  for (let i = 0; i < count; i++) {
    const start = i * ENTRY_BYTES;
    const [seq, expiresAt, deleted] = [seqs[i], expiries[i], deletedFlags[i]];
    if (!isNatural(seq) || !isNatural(expiresAt) || typeof deleted !== 'boolean') return undefined;
    const cellId = copyBytes(joined.subarray(start, start + CELL_ID_BYTES));
    if (i > 0 && compareBytes(cells[i - 1]!.cellId, cellId) >= 0) return undefined;
    const valueHash = copyBytes(joined.subarray(start + CELL_ID_BYTES, start + ENTRY_BYTES));
    cells.push({ cellId, seq, expiresAt, deleted, valueHash });
  }
  return cells;
}

function isListOf(value: unknown, count: number): value is unknown[] {
  return Array.isArray(value) && value.length === count;
}
