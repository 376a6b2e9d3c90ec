/** Cell ranges on the wire: one byte string of joined prefixes and one array of how many bits of each count. */
import { assert } from '../core/index.ts';
import { type CellRange, compareBytes, copyBytes, rangeContains } from '../records/index.ts';
import { CELL_ID_BITS, isNatural, MAX_RANGES } from './wire-format.ts';

/** `[joinedPrefixes, bitsOfEach]` */
export function rangesToFields(ranges: readonly CellRange[]): [Uint8Array, number[]] {
  assert(ranges.length >= 1 && ranges.length <= MAX_RANGES, 'a request names 1 to MAX_RANGES ranges');
  const joined = new Uint8Array(ranges.reduce((length, { prefix }) => length + prefix.length, 0));
  let end = 0;
  for (const [i, range] of ranges.entries()) {
    assert(i === 0 || isBehind(ranges[i - 1]!, range), 'ranges ascend and none lies within another');
    joined.set(range.prefix, end);
    end += range.prefix.length;
  }
  return [joined, ranges.map(({ bits }) => bits)];
}

/** Undefined when malformed, out of order, overlapping, none, or more than `MAX_RANGES`. */
export function rangesFromFields(joined: unknown, bitsOfEach: unknown): CellRange[] | undefined {
  if (!(joined instanceof Uint8Array) || !Array.isArray(bitsOfEach)) return undefined;
  if (bitsOfEach.length === 0 || bitsOfEach.length > MAX_RANGES) return undefined;
  const ranges: CellRange[] = [];
  let start = 0;
  for (const bits of bitsOfEach as unknown[]) {
    if (!isNatural(bits) || bits > CELL_ID_BITS) return undefined;
    const end = start + Math.ceil(bits / 8);
    if (end > joined.length) return undefined;
    const range = { prefix: copyBytes(joined.subarray(start, end)), bits };
    const previous = ranges.at(-1);
    if (!hasClearSpareBits(range) || (previous !== undefined && !isBehind(previous, range))) return undefined;
    ranges.push(range);
    start = end;
  }
  return start === joined.length ? ranges : undefined;
}

/** One range has one form: what lies behind its last bit is 0. */
function hasClearSpareBits({ prefix, bits }: CellRange): boolean {
  const spare = prefix.length * 8 - bits;
  return spare === 0 || (prefix.at(-1)! & ((1 << spare) - 1)) === 0;
}

/** Every cell of `range` comes after every cell of `previous`. A range that contains `previous` begins before it or where it does. */
function isBehind(previous: CellRange, range: CellRange): boolean {
  return compareBytes(previous.prefix, range.prefix) < 0 && !rangeContains(previous, range.prefix);
}
