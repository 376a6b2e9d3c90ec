/**
 * Where a record lies in the order that stores, digests and repair share: its *cell*, key id ‖ publisher (see `cellPublisher`). A range of cells
 * is a prefix of that, by bits: all cells of a part of the key space, of one key, or one cell.
 */
import { cellPublisher } from './merge.ts';
import type { RecordHeader } from './record.ts';

export const KEY_ID_BYTES = 32;
export const CELL_ID_BYTES = 64;

/** 64 bytes: key id ‖ cell publisher. */
export function cellId(header: Pick<RecordHeader, 'key' | 'publisher'>): Uint8Array {
  const id = new Uint8Array(CELL_ID_BYTES);
  id.set(header.key.id);
  id.set(cellPublisher(header), KEY_ID_BYTES);
  return id;
}

/** All cell ids that begin with the first `bits` bits of `prefix`. */
export interface CellRange {
  /** ⌈bits / 8⌉ bytes; the bits behind the last one that counts are 0. */
  readonly prefix: Uint8Array;
  /** 0 (everything) to 512 (one cell). */
  readonly bits: number;
}

/** The range of the first `bits` bits of an id: of a key (32 bytes) or a cell (64). */
export function cellRange(id: Uint8Array, bits: number): CellRange {
  const prefix = id.slice(0, Math.ceil(bits / 8));
  const spare = prefix.length * 8 - bits;
  if (spare > 0) prefix[prefix.length - 1]! &= 0xff << spare;
  return { prefix, bits };
}

/** Whether an id of a key or cell begins like the range; a key id lies in no range longer than itself. */
export function rangeContains({ prefix, bits }: CellRange, id: Uint8Array): boolean {
  if (bits > id.length * 8) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (id[i] !== prefix[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((id[whole]! ^ prefix[whole]!) & (0xff << (8 - rest))) === 0;
}
