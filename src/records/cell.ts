/** Where a record lies in the order that stores, digests and repair share: its *cell*, key id ‖ publisher (see `cellPublisher`). */
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
