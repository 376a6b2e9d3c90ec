/**
 * What a node is responsible for, as far as it knows the others: the parts of the key space where it is among the k nearest, cut where that
 * set changes. Within a region everybody who knows the same nodes names the same holders, so two of them can compare all of it at once.
 *
 * Prefixes are split from the top. In one of L bits the nodes inside come first, then those of its sibling subtree, then its parent's sibling, and
 * so on; the set is the same for all its keys unless the last place falls inside a subtree whose order the first L bits do not decide.
 */
import { assert } from '../core/index.ts';
import { commonPrefixLength, type NodeId } from '../kademlia/index.ts';
import { type CellRange, cellRange, compareBytes } from '../records/index.ts';
import { findCovering } from './cell-ranges.ts';

export interface Region {
  /** At most 256 bits. */
  readonly range: CellRange;
  /** The holders of its keys, self too, ascending by id. Regions with the same holders have the same array. */
  readonly members: readonly NodeId[];
}

export interface RegionsOptions {
  readonly self: NodeId;
  /** Everybody known who shares at least `depth` leading bits with self, in any order; without self. */
  readonly others: readonly NodeId[];
  readonly k: number;
  /** What shares fewer leading bits with self is full of nodes that are nearer to it, and in no region. */
  readonly depth: number;
  /**
   * How many bits longer than `depth` a prefix may get. What is still undecided there is a region whose members are all that are among the k
   * nearest to any of its keys: more than k, never too few. Without a bound, two ids that agree in g bits more than chance would have it make 2^g
   * regions. @default log2 of the nodes, rounded up, and 6: ids are hashes, so few ever get there
   */
  readonly maxSplits?: number | undefined;
}

/** Indices into the sorted ids: `low` to before `high`. */
interface Span {
  readonly low: number;
  readonly high: number;
}

/** Ascending and disjoint; as large as they can be. */
export function regionsOf({ self, others, k, depth, maxSplits }: RegionsOptions): Region[] {
  const ids = [self, ...others].sort(byId);
  const splits = maxSplits ?? Math.ceil(Math.log2(ids.length)) + 6;
  const idBits = self.bytes.length * 8;
  return new RegionSearch(ids, self, k, depth, Math.min(depth + splits, idBits)).run();
}

function byId(a: NodeId, b: NodeId): number {
  if (a.head !== b.head) return a.head >>> 0 < b.head >>> 0 ? -1 : 1;
  return compareBytes(a.bytes, b.bytes);
}

/** The region of a key: none when self is not among its holders. */
export function findRegion(regions: readonly Region[], keyId: Uint8Array): Region | undefined {
  return findCovering(regions, ({ range }) => range, keyId);
}

/** The regions of every member, by hex node id, in their order. */
export function regionsByMember(regions: Iterable<Region>): Map<string, Region[]> {
  const byMember = new Map<string, Region[]>();
  // Members are looked up once for all regions that have the same.
  const listsOf = new Map<readonly NodeId[], readonly Region[][]>();
  for (const region of regions) {
    let lists = listsOf.get(region.members);
    if (lists === undefined) {
      lists = region.members.map(({ hex }) => listIn(byMember, hex));
      listsOf.set(region.members, lists);
    }
    for (const list of lists) list.push(region);
  }
  return byMember;
}

function listIn(byMember: Map<string, Region[]>, hex: string): Region[] {
  let list = byMember.get(hex);
  if (list === undefined) {
    list = [];
    byMember.set(hex, list);
  }
  return list;
}

class RegionSearch {
  readonly #ids: readonly NodeId[];
  readonly #selfIndex: number;
  readonly #k: number;
  readonly #depth: number;
  readonly #maxBits: number;
  /** The prefix looked at: of `#length` bits, the others 0. */
  readonly #prefix: Uint8Array;
  #length: number;
  /** By length from `depth` on: the nodes under the prefix cut to it. */
  readonly #under: Span[];
  readonly #regions: Region[] = [];
  /** Members of the regions so far, with their indices in the sorted ids. */
  readonly #memberLists: { readonly indices: readonly number[]; readonly members: readonly NodeId[] }[] = [];
  // The answer of `#take` so far.
  #taken: Span[] = [];
  #undecided: Span | undefined;

  constructor(ids: readonly NodeId[], self: NodeId, k: number, depth: number, maxBits: number) {
    assert(k >= 1, 'nobody holds anything');
    this.#ids = ids;
    this.#selfIndex = ids.indexOf(self);
    this.#k = k;
    this.#depth = depth;
    this.#maxBits = maxBits;
    this.#prefix = new Uint8Array(self.bytes.length);
    this.#prefix.set(cellRange(self.bytes, depth).prefix);
    this.#length = depth;
    this.#under = [{ low: 0, high: ids.length }];
  }

  run(): Region[] {
    this.#visit();
    return this.#regions;
  }

  #visit(): void {
    this.#takeNearest();
    const isMember = this.#taken.some((span) => this.#holdsSelf(span));
    const undecided = this.#undecided;
    if (undecided === undefined || !(isMember || this.#holdsSelf(undecided))) {
      if (isMember) this.#addRegion(this.#taken);
    } else if (this.#dividesInTime(undecided)) this.#split();
    else this.#addRegion([...this.#taken, undecided]);
  }

  /** Whether any prefix that may be made tells some of these nodes from the others. */
  #dividesInTime({ low, high }: Span): boolean {
    return commonPrefixLength(this.#ids[low]!, this.#ids[high - 1]!) < this.#maxBits;
  }

  #holdsSelf({ low, high }: Span): boolean {
    return low <= this.#selfIndex && this.#selfIndex < high;
  }

  #split(): void {
    const bit = this.#length;
    const mask = 0x80 >> (bit & 7);
    const before = this.#regions.length;
    const { low, high } = this.#under.at(-1)!;
    const middle = this.#firstRight({ low, high }, bit);
    this.#length = bit + 1;
    this.#under.push({ low, high: middle });
    this.#visit();
    this.#under[this.#under.length - 1] = { low: middle, high };
    this.#prefix[bit >> 3]! |= mask;
    this.#visit();
    this.#prefix[bit >> 3]! &= ~mask;
    this.#under.pop();
    this.#length = bit;
    this.#mergeHalves(before);
  }

  /** Two halves differ, unless both were left undecided. */
  #mergeHalves(before: number): void {
    if (this.#regions.length !== before + 2) return;
    const first = this.#regions[before]!;
    const second = this.#regions[before + 1]!;
    if (first.members !== second.members) return;
    if (first.range.bits !== this.#length + 1 || second.range.bits !== this.#length + 1) return;
    this.#regions.length = before;
    this.#regions.push({ range: cellRange(this.#prefix, this.#length), members: first.members });
  }

  /** Fills `#taken` with who is among the k nearest to every key of the prefix, and `#undecided` with those of whom only some are. */
  #takeNearest(): void {
    this.#taken = [];
    this.#undecided = undefined;
    const inside = this.#under.at(-1)!;
    let places = this.#take(inside, this.#length, this.#k);
    for (let length = this.#length - 1; length >= this.#depth && places > 0; length--) {
      const { low, high } = this.#under[length - this.#depth]!;
      const nearer = this.#under[length + 1 - this.#depth]!;
      const sibling = nearer.low === low ? { low: nearer.high, high } : { low, high: nearer.low };
      places = this.#take(sibling, length + 1, places);
    }
  }

  /** Gives the places to the nearest of a span, all alike in `length` bits. @returns how many are left; none once somebody is undecided */
  #take(span: Span, length: number, places: number): number {
    const count = span.high - span.low;
    if (count === 0 || places === 0) return places;
    if (count <= places) {
      this.#taken.push(span);
      return places - count;
    }
    if (length >= this.#length) {
      this.#undecided = span;
      return 0;
    }
    const middle = this.#firstRight(span, length);
    const left = { low: span.low, high: middle };
    const right = { low: middle, high: span.high };
    const isRight = (this.#prefix[length >> 3]! & (0x80 >> (length & 7))) !== 0;
    const leftOver = this.#take(isRight ? right : left, length + 1, places);
    return this.#take(isRight ? left : right, length + 1, leftOver);
  }

  /** The first index whose id has this bit set; all of the span are alike before it. */
  #firstRight({ low, high }: Span, bit: number): number {
    const at = bit >> 3;
    const mask = 0x80 >> (bit & 7);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle]!.bytes[at]! & mask) === 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param taken in any order */
  #addRegion(taken: Span[]): void {
    taken.sort(byLow);
    const members = this.#membersOf(taken);
    this.#regions.push({ range: cellRange(this.#prefix, this.#length), members });
  }

  /** One array for all regions with the same members. Those next to each other mostly differ, so any may be the one. */
  #membersOf(taken: readonly Span[]): readonly NodeId[] {
    for (let i = this.#memberLists.length - 1; i >= 0; i--) {
      const { members, indices } = this.#memberLists[i]!;
      if (areIndices(indices, taken)) return members;
    }
    const indices: number[] = [];
    for (const { low, high } of taken) for (let index = low; index < high; index++) indices.push(index);
    const members = indices.map((index) => this.#ids[index]!);
    this.#memberLists.push({ indices, members });
    return members;
  }
}

function byLow(a: Span, b: Span): number {
  return a.low - b.low;
}

/** Whether these are what lies in the spans, both ascending. */
function areIndices(indices: readonly number[], spans: readonly Span[]): boolean {
  let at = 0;
  for (const { low, high } of spans) {
    // Between its ends a span has no gaps, and neither have as many indices.
    if (indices[at] !== low || indices[at + high - low - 1] !== high - 1) return false;
    at += high - low;
  }
  return at === indices.length;
}
