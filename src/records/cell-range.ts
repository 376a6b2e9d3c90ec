/**
 * A range of cells is a prefix of their ids, by bits: all cells of a part of the key space, of one key, or one cell. Regions of holders, questions
 * of repair and scans of stores are made of them. Not here: lists of ranges (`replication`), which are compared by `head` alone nearly always.
 */
import { compareBytes } from './bytes.ts';

/** What `CellRange.head` covers. */
export const HEAD_BITS = 32;

/** All cell ids that begin with the first `bits` bits of `prefix`. Made by `cellRange`; shared, so never to be changed. */
export class CellRange {
  /** 0 (everything) to 512 (one cell). */
  readonly bits: number;
  /** The first 32 bits (shorter prefixes: filled up with zeros) as a signed integer: parts of the key space are told apart by them alone. */
  readonly head: number;
  /** Of more than 32 bits. The others, which are most of those that are kept, do without: an array takes five times as much as they. */
  readonly longPrefix: Uint8Array | undefined;

  constructor(head: number, bits: number, longPrefix?: Uint8Array) {
    this.head = head;
    this.bits = bits;
    this.longPrefix = longPrefix;
  }

  /** ⌈bits / 8⌉ bytes; the bits behind the last one that counts are 0. */
  get prefix(): Uint8Array {
    if (this.longPrefix !== undefined) return this.longPrefix;
    const prefix = new Uint8Array(this.byteLength);
    this.write(prefix, 0);
    return prefix;
  }

  /** Of the prefix. */
  get byteLength(): number {
    return (this.bits + 7) >> 3;
  }

  /** Writes the prefix. @returns where it ends */
  write(into: Uint8Array, start: number): number {
    const end = start + this.byteLength;
    if (this.longPrefix !== undefined) into.set(this.longPrefix, start);
    else for (let i = start; i < end; i++) into[i] = this.head >>> (24 - 8 * (i - start));
    return end;
  }

  /** Bit `index` of the prefix, 0 first. */
  bitAt(index: number): 0 | 1 {
    if (index < HEAD_BITS) return ((this.head >>> (HEAD_BITS - 1 - index)) & 1) as 0 | 1;
    return ((this.longPrefix![index >> 3]! >>> (7 - (index & 7))) & 1) as 0 | 1;
  }
}

const SLOT_BITS = 11;
const MAX_SLOT_BITS = 22;
/** Distinct ranges per node of a network, most of them known to all K holders there, with those that were left behind a moment ago. */
const SLOTS_PER_NODE = 32;

let slotBits = SLOT_BITS;
/**
 * Ranges of at most 32 bits, remembered: a node and its neighbours name the same ones again and again, and each would take 40 bytes every time.
 * A pure function's memo, it changes no result.
 */
// BOUNDED: 2^11 slots unless `expectRangesOf` asked for more. Sets of two; a newcomer drives the older one out.
let slots: (CellRange | undefined)[] = Array<undefined>(1 << SLOT_BITS).fill(undefined);

/** For a process that plays many nodes: makes room for the ranges of all of them. */
export function expectRangesOf(nodes: number): void {
  let wanted = slotBits;
  while (wanted < MAX_SLOT_BITS && 1 << wanted < nodes * SLOTS_PER_NODE) wanted++;
  if (wanted === slotBits) return;
  const former = slots;
  slotBits = wanted;
  slots = Array<undefined>(1 << wanted).fill(undefined);
  for (const range of former) if (range !== undefined) keep(range, setOf(range.head, range.bits));
}

/** The range of the first `bits` bits of an id: of a key (32 bytes) or a cell (64). */
export function cellRange(id: Uint8Array, bits: number): CellRange {
  if (bits > HEAD_BITS) return new CellRange(headOf(id), bits, firstBits(id, bits));
  return headRange(headOf(id), bits);
}

/** The range of the first `bits` bits, at most 32, of a signed integer. */
export function headRange(head: number, bits: number): CellRange {
  const cut = bits === 0 ? 0 : head & (-1 << (HEAD_BITS - bits));
  const set = setOf(cut, bits);
  for (let slot = set; slot <= set + 1; slot++) {
    const known = slots[slot];
    if (known !== undefined && known.head === cut && known.bits === bits) return known;
  }
  return keep(new CellRange(cut, bits), set);
}

/** The newcomer takes the first place of its set, whoever had it moves to the second. */
function keep(range: CellRange, set: number): CellRange {
  slots[set + 1] = slots[set];
  slots[set] = range;
  return range;
}

/** First slot of the set of a range. Who crafts collisions makes others allocate, as they would without slots. */
function setOf(head: number, bits: number): number {
  const mixed = Math.imul(head ^ (head >>> 15) ^ bits, 0x9e3779b1);
  return (mixed >>> (HEAD_BITS - slotBits)) & ~1;
}

/** The range whose prefix is written at `start`. Undefined when it goes on behind the end, or there is more than 0 behind its last bit: one range has one form. */
export function rangeAt(bytes: Uint8Array, start: number, bits: number): CellRange | undefined {
  const end = start + ((bits + 7) >> 3);
  if (end > bytes.length) return undefined;
  const spare = -bits & 7;
  if (spare > 0 && (bytes[end - 1]! & ((1 << spare) - 1)) !== 0) return undefined;
  if (bits > HEAD_BITS) return cellRange(bytes.subarray(start, end), bits);
  let head = 0;
  for (let i = start; i < end; i++) head |= bytes[i]! << (24 - 8 * (i - start));
  return headRange(head, bits);
}

function firstBits(id: Uint8Array, bits: number): Uint8Array {
  const prefix = id.slice(0, Math.ceil(bits / 8));
  const spare = prefix.length * 8 - bits;
  if (spare > 0) prefix[prefix.length - 1]! &= 0xff << spare;
  return prefix;
}

/** Whether an id of a key or cell begins like the range; a key id lies in no range longer than itself. */
export function rangeContains(range: CellRange, id: Uint8Array): boolean {
  const { bits } = range;
  if (bits > id.length * 8) return false;
  if (bits <= HEAD_BITS) return sameBits(range.head, headOf(id), bits);
  const { prefix } = range;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (id[i] !== prefix[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((id[whole]! ^ prefix[whole]!) & (0xff << (8 - rest))) === 0;
}

/** Whether all cells of one range are in another. */
export function isWithinRange(inner: CellRange, outer: CellRange): boolean {
  if (outer.bits > inner.bits) return false;
  return outer.bits <= HEAD_BITS ? sameBits(inner.head, outer.head, outer.bits) : rangeContains(outer, inner.prefix);
}

/** By where they begin, a wider one before what lies within it. */
export function compareRanges(a: CellRange, b: CellRange): number {
  if (a === b) return 0;
  if (a.head !== b.head) return a.head >>> 0 < b.head >>> 0 ? -1 : 1;
  if (a.bits <= HEAD_BITS && b.bits <= HEAD_BITS) return a.bits - b.bits;
  return compareBytes(a.prefix, b.prefix) || a.bits - b.bits;
}

/** Whether every cell of one range comes before every cell of another. */
export function isRangeBefore(a: CellRange, b: CellRange): boolean {
  return compareRanges(a, b) < 0 && !isWithinRange(b, a);
}

/** Whether two heads begin with the same bits, at most 32. */
function sameBits(a: number, b: number, bits: number): boolean {
  return bits === 0 || (a ^ b) >>> (HEAD_BITS - bits) === 0;
}

/** See `CellRange.head`. */
export function headOf(id: Uint8Array): number {
  if (id.length >= 4) return (id[0]! << 24) | (id[1]! << 16) | (id[2]! << 8) | id[3]!;
  return ((id[0] ?? 0) << 24) | ((id[1] ?? 0) << 16) | ((id[2] ?? 0) << 8);
}
