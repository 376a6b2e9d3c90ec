/**
 * Set algebra on lists of cell ranges. A list is always ascending (`compareRanges`) and disjoint, as on the wire: so two ranges either are the
 * same, lie one within the other, or have nothing in common, and every operation is one pass or one binary search.
 */
import { CELL_ID_BYTES, type CellRange, cellRange, compareBytes, rangeContains } from '../records/index.ts';

const MAX_BITS = CELL_ID_BYTES * 8;

export const EVERYTHING: CellRange = { prefix: new Uint8Array(0), bits: 0 };

/** By where they begin, a wider one before what lies within it. */
export function compareRanges(a: CellRange, b: CellRange): number {
  return compareBytes(a.prefix, b.prefix) || a.bits - b.bits;
}

/**
 * The same cells in as few ranges as possible: two halves become their whole, again and again.
 * @param wholes made before, by their left halves: lists that share ranges then share what becomes of them, and are kept in a fifth of the memory
 */
export function mergeSiblings(ranges: readonly CellRange[], wholes = new Map<CellRange, CellRange>()): CellRange[] {
  const merged: CellRange[] = [];
  for (const range of ranges) {
    let whole = range;
    for (let last = merged.at(-1); last !== undefined && areSiblings(last, whole); last = merged.at(-1)) {
      merged.pop();
      whole = wholes.get(last) ?? cellRange(last.prefix, last.bits - 1);
      wholes.set(last, whole);
    }
    merged.push(whole);
  }
  return merged;
}

/** Alike in all but their last bit. */
function areSiblings(left: CellRange, right: CellRange): boolean {
  const { bits, prefix } = left;
  if (bits !== right.bits || bits === 0) return false;
  const at = (bits - 1) >> 3;
  const lastBit = 0x80 >> ((bits - 1) & 7);
  if ((prefix[at]! ^ right.prefix[at]!) !== lastBit) return false;
  for (let i = 0; i < at; i++) if (prefix[i] !== right.prefix[i]) return false;
  return true;
}

/** The cells that are in both lists, in ranges of one of them. */
export function intersectRanges(a: readonly CellRange[], b: readonly CellRange[]): CellRange[] {
  const both: CellRange[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i]!;
    const y = b[j]!;
    if (isWithin(y, x)) {
      both.push(y);
      j++;
    } else if (isWithin(x, y)) {
      both.push(x);
      i++;
    } else if (compareRanges(x, y) < 0) i++;
    else j++;
  }
  return both;
}

/** The cells that are in either list, in ranges of one of them. */
export function uniteRanges(a: readonly CellRange[], b: readonly CellRange[]): CellRange[] {
  const either: CellRange[] = [];
  for (const range of [...a, ...b].sort(compareRanges)) {
    const last = either.at(-1);
    if (last === undefined || !isWithin(range, last)) either.push(range);
  }
  return either;
}

function isWithin(inner: CellRange, outer: CellRange): boolean {
  return outer.bits <= inner.bits && rangeContains(outer, inner.prefix);
}

/** The cells of a range that are in none of the ranges inside it, in as few ranges as possible. */
export function gapsBetween(ranges: readonly CellRange[], whole = EVERYTHING): CellRange[] {
  const gaps: CellRange[] = [];
  const look = (range: CellRange, inside: readonly CellRange[]): void => {
    if (inside.length === 0) gaps.push(range);
    else if (inside[0]!.bits > range.bits) {
      for (const half of childRanges(range, 1)) {
        look(
          half,
          inside.filter(({ prefix }) => rangeContains(half, prefix)),
        );
      }
    }
  };
  look(whole, ranges);
  return gaps;
}

/** Whether one range of the list contains all of another. */
export function coversRange(ranges: readonly CellRange[], range: CellRange): boolean {
  const wider = findCovering(ranges, (candidate) => candidate, range.prefix);
  return wider !== undefined && wider.bits <= range.bits;
}

/** Whether any cell of a range is in the list. */
export function overlapsRange(ranges: readonly CellRange[], range: CellRange): boolean {
  const next = countNotAfter(ranges, (candidate) => candidate, range.prefix);
  const last = ranges[next - 1];
  const first = ranges[next];
  if (last !== undefined && (isWithin(range, last) || isWithin(last, range))) return true;
  return first !== undefined && isWithin(first, range);
}

/** Whether a range of the list contains the id, of a key (32 bytes) or a cell (64). A key is in no range of less than all its cells. */
export function coversId(ranges: readonly CellRange[], id: Uint8Array): boolean {
  return findCovering(ranges, (range) => range, id) !== undefined;
}

/** The one of `items`, ascending and disjoint by their ranges, whose range contains the id. Binary search. */
export function findCovering<T>(items: readonly T[], rangeOf: (item: T) => CellRange, id: Uint8Array): T | undefined {
  const last = items[countNotAfter(items, rangeOf, id) - 1];
  return last !== undefined && rangeContains(rangeOf(last), id) ? last : undefined;
}

/** How many of `items` begin at the id or before it. */
function countNotAfter<T>(items: readonly T[], rangeOf: (item: T) => CellRange, id: Uint8Array): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(rangeOf(items[middle]!).prefix, id) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The 2^bits equal parts of a range, ascending; fewer when it has fewer bits left, none of a single cell. */
export function childRanges(range: CellRange, bits: number): CellRange[] {
  const step = Math.min(bits, MAX_BITS - range.bits);
  if (step === 0) return [];
  const children: CellRange[] = [];
  const length = range.bits + step;
  for (let part = 0; part < 2 ** step; part++) {
    const prefix = new Uint8Array(Math.ceil(length / 8));
    prefix.set(range.prefix);
    for (let bit = 0; bit < step; bit++) {
      const at = range.bits + bit;
      if ((part >>> (step - 1 - bit)) & 1) prefix[at >> 3]! |= 0x80 >> (at & 7);
    }
    children.push({ prefix, bits: length });
  }
  return children;
}
