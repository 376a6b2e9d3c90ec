/**
 * Set algebra on lists of cell ranges. A list is always ascending (`compareRanges`) and disjoint, as on the wire: so two ranges either are the
 * same, lie one within the other, or have nothing in common, and every operation is one pass or one binary search.
 */
import {
  CELL_ID_BYTES,
  type CellRange,
  cellRange,
  compareBytes,
  compareRanges,
  HEAD_BITS,
  headOf,
  headRange,
  isRangeBefore,
  isWithinRange,
  rangeContains,
} from '../records/index.ts';

const MAX_BITS = CELL_ID_BYTES * 8;

export const EVERYTHING = headRange(0, 0);

/** The same cells in as few ranges as possible: two halves become their whole, again and again. */
export function mergeSiblings(ranges: readonly CellRange[]): CellRange[] {
  const merged: CellRange[] = [];
  for (const range of ranges) {
    let whole = range;
    for (let last = merged.at(-1); last !== undefined && areSiblings(last, whole); last = merged.at(-1)) {
      merged.pop();
      whole = withoutLastBit(last);
    }
    merged.push(whole);
  }
  return merged.slice(); // such lists are kept, and what grew by push has room for twice as many
}

function withoutLastBit(range: CellRange): CellRange {
  const bits = range.bits - 1;
  return bits <= HEAD_BITS ? headRange(range.head, bits) : cellRange(range.prefix, bits);
}

/** Alike in all but their last bit. */
function areSiblings(left: CellRange, right: CellRange): boolean {
  const { bits } = left;
  if (bits !== right.bits || bits === 0) return false;
  if (bits <= HEAD_BITS) return (left.head ^ right.head) >>> (HEAD_BITS - bits) === 1;
  const { prefix } = left;
  const at = (bits - 1) >> 3;
  const lastBit = 0x80 >> ((bits - 1) & 7);
  if ((prefix[at]! ^ right.prefix[at]!) !== lastBit) return false;
  for (let i = 0; i < at; i++) if (prefix[i] !== right.prefix[i]) return false;
  return true;
}

/** The cells that are in both lists, in ranges of one of them. One of the lists itself when it is the result. */
export function intersectRanges(a: readonly CellRange[], b: readonly CellRange[]): readonly CellRange[] {
  if (a === b) return a;
  const both: CellRange[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i]!;
    const y = b[j]!;
    if (isWithinRange(y, x)) {
      both.push(y);
      j++;
    } else if (isWithinRange(x, y)) {
      both.push(x);
      i++;
    } else if (compareRanges(x, y) < 0) i = firstMeeting(a, itself, i + 1, y);
    else j = firstMeeting(b, itself, j + 1, x);
  }
  if (isSameList(both, b)) return b;
  return isSameList(both, a) ? a : both;
}

/** The cells that are in either list, in ranges of one of them. One of the lists itself when it is the result. */
export function uniteRanges(a: readonly CellRange[], b: readonly CellRange[]): readonly CellRange[] {
  if (a === b || a.length === 0) return b;
  const either: CellRange[] = [];
  let i = 0;
  let j = 0;
  let last: CellRange | undefined;
  while (i < a.length || j < b.length) {
    const isFromA = j === b.length || (i < a.length && compareRanges(a[i]!, b[j]!) <= 0);
    const range = isFromA ? a[i++]! : b[j++]!;
    if (last !== undefined && isWithinRange(range, last)) continue;
    either.push(range);
    last = range;
  }
  if (isSameList(either, b)) return b;
  return isSameList(either, a) ? a : either;
}

/** The same objects: ranges mostly are, see `cellRange`. */
function isSameList(a: readonly CellRange[], b: readonly CellRange[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Those of `items`, ascending and disjoint by their ranges, that lie within one of `ranges`, in their order. */
export function forEachWithin<T>(
  items: readonly T[],
  rangeOf: (item: T) => CellRange,
  ranges: readonly CellRange[],
  visit: (item: T) => void,
): void {
  let at = 0;
  for (const range of ranges) {
    at = firstMeeting(items, rangeOf, at, range);
    for (; at < items.length && isWithinRange(rangeOf(items[at]!), range); at++) visit(items[at]!);
  }
}

/** Index of the first item from `start` on that lies behind `other`, or has something in common with it. In steps that double, then by halves. */
function firstMeeting<T>(
  items: readonly T[],
  rangeOf: (item: T) => CellRange,
  start: number,
  other: CellRange,
): number {
  let low = start;
  let step = 1;
  let high = start;
  while (high < items.length && isRangeBefore(rangeOf(items[high]!), other)) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = Math.min(high, items.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isRangeBefore(rangeOf(items[middle]!), other)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function itself(range: CellRange): CellRange {
  return range;
}

/** The cells of a range that are in none of the ranges inside it, in as few ranges as possible. */
export function gapsBetween(ranges: readonly CellRange[], whole = EVERYTHING): CellRange[] {
  const gaps: CellRange[] = [];
  /** Of the ranges, those from `low` to before `high` are inside. */
  const look = (range: CellRange, low: number, high: number): void => {
    if (low === high) gaps.push(range);
    else if (ranges[low]!.bits > range.bits) {
      const [left, right] = childRanges(range, 1);
      let middle = low;
      while (middle < high && isWithinRange(ranges[middle]!, left!)) middle++;
      look(left!, low, middle);
      look(right!, middle, high);
    }
  };
  look(whole, 0, ranges.length);
  return gaps;
}

/** Whether one range of the list contains all of another. */
export function coversRange(ranges: readonly CellRange[], range: CellRange): boolean {
  const wider = ranges[countUpTo(ranges, range) - 1];
  return wider !== undefined && isWithinRange(range, wider);
}

/** Whether any cell of a range is in the list. */
export function overlapsRange(ranges: readonly CellRange[], range: CellRange): boolean {
  const next = countUpTo(ranges, range);
  const last = ranges[next - 1];
  const first = ranges[next];
  return (last !== undefined && isWithinRange(range, last)) || (first !== undefined && isWithinRange(first, range));
}

/** How many of the ranges come before one in the order of `compareRanges`, or are it. */
function countUpTo(ranges: readonly CellRange[], range: CellRange): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareRanges(ranges[middle]!, range) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a range of the list contains the id, of a key (32 bytes) or a cell (64). A key is in no range of less than all its cells. */
export function coversId(ranges: readonly CellRange[], id: Uint8Array): boolean {
  return findCovering(ranges, itself, id) !== undefined;
}

/** The one of `items`, ascending and disjoint by their ranges, whose range contains the id. Binary search. */
export function findCovering<T>(items: readonly T[], rangeOf: (item: T) => CellRange, id: Uint8Array): T | undefined {
  const head = headOf(id) >>> 0;
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = rangeOf(items[middle]!);
    const begin = range.head >>> 0;
    const isNotAfter =
      begin < head || (begin === head && (range.bits <= HEAD_BITS || compareBytes(range.prefix, id) <= 0));
    if (isNotAfter) low = middle + 1;
    else high = middle;
  }
  const last = items[low - 1];
  return last !== undefined && rangeContains(rangeOf(last), id) ? last : undefined;
}

/** The 2^bits equal parts of a range, ascending; fewer when it has fewer bits left, none of a single cell. */
export function childRanges(range: CellRange, bits: number): CellRange[] {
  const step = Math.min(bits, MAX_BITS - range.bits);
  if (step === 0) return [];
  const children: CellRange[] = [];
  const length = range.bits + step;
  if (length <= HEAD_BITS) {
    for (let part = 0; part < 2 ** step; part++)
      children.push(headRange(range.head | (part << (HEAD_BITS - length)), length));
    return children;
  }
  for (let part = 0; part < 2 ** step; part++) {
    const prefix = new Uint8Array(Math.ceil(length / 8));
    prefix.set(range.prefix);
    for (let bit = 0; bit < step; bit++) {
      const at = range.bits + bit;
      if ((part >>> (step - 1 - bit)) & 1) prefix[at >> 3]! |= 0x80 >> (at & 7);
    }
    children.push(cellRange(prefix, length));
  }
  return children;
}
