/** Cell ranges on the wire: one byte string of joined prefixes and one array of how many bits of each count. */
import { assert } from '../core/index.ts';
import { type CellRange, isRangeBefore, rangeAt } from '../records/index.ts';
import { CELL_ID_BITS, isNatural, MAX_RANGES } from './wire-format.ts';

/** `[joinedPrefixes, bitsOfEach]` */
export function rangesToFields(ranges: readonly CellRange[]): [Uint8Array, number[]] {
  assert(ranges.length >= 1 && ranges.length <= MAX_RANGES, 'a request names 1 to MAX_RANGES ranges');
  let length = 0;
  for (const { byteLength } of ranges) length += byteLength;
  const joined = new Uint8Array(length);
  const bitsOfEach: number[] = [];
  let end = 0;
  let previous: CellRange | undefined;
  for (const range of ranges) {
    assert(previous === undefined || isRangeBefore(previous, range), 'ranges ascend and none lies within another');
    end = range.write(joined, end);
    bitsOfEach.push(range.bits);
    previous = range;
  }
  return [joined, bitsOfEach];
}

/** Undefined when malformed, out of order, overlapping, none, or more than `MAX_RANGES`. */
export function rangesFromFields(joined: unknown, bitsOfEach: unknown): CellRange[] | undefined {
  if (!(joined instanceof Uint8Array) || !Array.isArray(bitsOfEach)) return undefined;
  if (bitsOfEach.length === 0 || bitsOfEach.length > MAX_RANGES) return undefined;
  const ranges: CellRange[] = [];
  let start = 0;
  let previous: CellRange | undefined;
  for (const bits of bitsOfEach as unknown[]) {
    if (!isNatural(bits) || bits > CELL_ID_BITS) return undefined;
    const range = rangeAt(joined, start, bits);
    if (range === undefined || (previous !== undefined && !isRangeBefore(previous, range))) return undefined;
    ranges.push(range);
    start += range.byteLength;
    previous = range;
  }
  return start === joined.length ? ranges : undefined;
}
