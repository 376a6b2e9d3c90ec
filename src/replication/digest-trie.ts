/**
 * What a node holds, as a Merkle trie over cell ids: two nodes whose digests of a range agree hold the same there, and where they differ a few
 * descents find the cells. Binary, path-compressed, canonical: a digest depends on the cells below it and nothing else.
 *
 * Nodes are rows of typed arrays and ids are stored once: 112 bytes per cell and up to a quarter of slack (measured with random cells: 117 each
 * for a million, 124 for 100,000). Not here: which ranges to compare, and with whom.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { assert } from '../core/index.ts';
import { CELL_ID_BYTES, type CellRange, type RecordHeader, rangeContains } from '../records/index.ts';

const DIGEST_BYTES = 16;

/** Before the hashed bytes, so that none can be taken for another kind. */
const LEAF = 0;
const INNER = 1;
const COMBINED = 2;
const VERSION = 3;

/** An inner node is its row; a leaf is the complement of its row. Meaningless while the trie is empty. */
type NodeRef = number;

export class DigestTrie {
  // BOUNDED: one leaf and at most one inner node per cell held, and as many as there ever were at once: rows are reused, not given back.
  #ids = new Uint8Array(0);
  /** Of a dirty leaf: the fingerprint its digest will be made of. */
  #leafDigests = new Uint8Array(0);
  #leafDirty = new Uint8Array(0);
  #leafRows = 0;
  readonly #freeLeaves: number[] = [];

  /** The first bit in which the ids below differ: it is 0 on the left. */
  #bits = new Uint16Array(0);
  #left = new Int32Array(0);
  #right = new Int32Array(0);
  #counts = new Uint32Array(0);
  #innerDigests = new Uint8Array(0);
  #innerDirty = new Uint8Array(0);
  #innerRows = 0;
  readonly #freeInner: number[] = [];

  #root: NodeRef = 0;
  #size = 0;

  /** Cells. */
  get size(): number {
    return this.#size;
  }

  /** A cell's version is this now (see `fingerprint`). Hashes nothing: the next digest does. */
  set(cellId: Uint8Array, version: Uint8Array): void {
    assert(
      cellId.length === CELL_ID_BYTES && version.length === DIGEST_BYTES,
      'a cell id or fingerprint has another length',
    );
    if (this.#size === 0) {
      this.#root = ~this.#addLeaf(cellId, version);
      this.#size = 1;
      return;
    }
    const near = this.#leafTowards(cellId);
    const fork = this.#firstDifference(near, cellId);
    if (fork === CELL_ID_BYTES * 8) {
      this.#walk(cellId, fork, 0);
      this.#leafDigests.set(version, near * DIGEST_BYTES);
      this.#leafDirty[near] = 1;
      return;
    }
    const leaf = ~this.#addLeaf(cellId, version);
    const inner = this.#addInner(fork);
    const { parent, node } = this.#walk(cellId, fork, 1);
    const isRight = bitOf(cellId, fork) === 1;
    this.#left[inner] = isRight ? node : leaf;
    this.#right[inner] = isRight ? leaf : node;
    this.#counts[inner] = this.#countBelow(node) + 1;
    this.#replaceChild(parent, node, inner);
    this.#size++;
  }

  /** The cell is gone. @returns whether it was there */
  delete(cellId: Uint8Array): boolean {
    assert(cellId.length === CELL_ID_BYTES, 'a cell id has another length');
    if (this.#size === 0) return false;
    const row = this.#leafTowards(cellId);
    if (this.#firstDifference(row, cellId) < CELL_ID_BYTES * 8) return false;
    this.#size--;
    this.#freeLeaves.push(row);
    if (this.#size === 0) return true;
    const { grandparent, parent } = this.#walk(cellId, CELL_ID_BYTES * 8, -1);
    const sibling = this.#left[parent] === ~row ? this.#right[parent]! : this.#left[parent]!;
    this.#replaceChild(grandparent, parent, sibling);
    this.#freeInner.push(parent);
    return true;
  }

  /** 16 bytes; zeros when there is nothing. Hashes once per node that changed below since the last time. */
  digest(range: CellRange): Uint8Array {
    const digest = new Uint8Array(DIGEST_BYTES);
    this.#copyDigest(range, digest, 0);
    return digest;
  }

  /** One digest per range, joined in their order. */
  digests(ranges: readonly CellRange[]): Uint8Array {
    const joined = new Uint8Array(ranges.length * DIGEST_BYTES);
    ranges.forEach((range, at) => {
      this.#copyDigest(range, joined, at * DIGEST_BYTES);
    });
    return joined;
  }

  /** Cells in a range. */
  count(range: CellRange): number {
    const node = this.#find(range);
    return node === undefined ? 0 : this.#countBelow(node);
  }

  /** Copies of the ids in a range, ascending. Do not change the trie meanwhile. */
  *cells(range: CellRange): Generator<Uint8Array, void, undefined> {
    const found = this.#find(range);
    if (found === undefined) return;
    const pending: NodeRef[] = [found];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node < 0) yield this.#ids.slice(~node * CELL_ID_BYTES, (~node + 1) * CELL_ID_BYTES);
      else pending.push(this.#right[node]!, this.#left[node]!);
    }
  }

  /** The topmost node with nothing but cells of the range below it. */
  #find(range: CellRange): NodeRef | undefined {
    if (this.#size === 0) return undefined;
    let node = this.#root;
    while (node >= 0 && this.#bits[node]! < range.bits) {
      node = range.bitAt(this.#bits[node]!) === 0 ? this.#left[node]! : this.#right[node]!;
    }
    // The way down looked only at bits in which ids differ: any one id below tells about the others.
    let leaf = node;
    while (leaf >= 0) leaf = this.#left[leaf]!;
    const id = this.#ids.subarray(~leaf * CELL_ID_BYTES, (~leaf + 1) * CELL_ID_BYTES);
    return rangeContains(range, id) ? node : undefined;
  }

  /** Row of the leaf that shares the most bits with an id. */
  #leafTowards(id: Uint8Array): number {
    let node = this.#root;
    while (node >= 0) node = bitOf(id, this.#bits[node]!) === 0 ? this.#left[node]! : this.#right[node]!;
    return ~node;
  }

  #firstDifference(leaf: number, id: Uint8Array): number {
    const start = leaf * CELL_ID_BYTES;
    for (let i = 0; i < CELL_ID_BYTES; i++) {
      const difference = this.#ids[start + i]! ^ id[i]!;
      if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
    }
    return CELL_ID_BYTES * 8;
  }

  /** Down to where the bits before `end` lead, for a change there: what is passed is dirty and counts `added` cells more. */
  #walk(id: Uint8Array, end: number, added: number): { grandparent: number; parent: number; node: NodeRef } {
    let grandparent = -1;
    let parent = -1;
    let node = this.#root;
    while (node >= 0 && this.#bits[node]! < end) {
      this.#innerDirty[node] = 1;
      this.#counts[node]! += added;
      grandparent = parent;
      parent = node;
      node = bitOf(id, this.#bits[node]!) === 0 ? this.#left[node]! : this.#right[node]!;
    }
    return { grandparent, parent, node };
  }

  /** `parent` -1: the root. */
  #replaceChild(parent: number, child: NodeRef, by: NodeRef): void {
    if (parent === -1) this.#root = by;
    else if (this.#left[parent] === child) this.#left[parent] = by;
    else this.#right[parent] = by;
  }

  #countBelow(node: NodeRef): number {
    return node < 0 ? 1 : this.#counts[node]!;
  }

  #copyDigest(range: CellRange, into: Uint8Array, at: number): void {
    const node = this.#find(range);
    if (node === undefined) return;
    this.#refresh(node);
    this.#copyFresh(node, into, at);
  }

  #copyFresh(node: NodeRef, into: Uint8Array, at: number): void {
    const start = (node < 0 ? ~node : node) * DIGEST_BYTES;
    into.set((node < 0 ? this.#leafDigests : this.#innerDigests).subarray(start, start + DIGEST_BYTES), at);
  }

  /** Recursion ends after 512 levels: each has a bit of its own. */
  #refresh(node: NodeRef): void {
    if (node < 0) {
      const row = ~node;
      if (this.#leafDirty[row] === 0) return;
      LEAF_INPUT.set(this.#ids.subarray(row * CELL_ID_BYTES, (row + 1) * CELL_ID_BYTES), 1);
      this.#copyFresh(node, LEAF_INPUT, 1 + CELL_ID_BYTES);
      this.#leafDigests.set(hash(LEAF_INPUT), row * DIGEST_BYTES);
      this.#leafDirty[row] = 0;
    } else if (this.#innerDirty[node] === 1) {
      this.#refresh(this.#left[node]!);
      this.#refresh(this.#right[node]!);
      this.#copyFresh(this.#left[node]!, INNER_INPUT, 1);
      this.#copyFresh(this.#right[node]!, INNER_INPUT, 1 + DIGEST_BYTES);
      this.#innerDigests.set(hash(INNER_INPUT), node * DIGEST_BYTES);
      this.#innerDirty[node] = 0;
    }
  }

  #addLeaf(id: Uint8Array, version: Uint8Array): number {
    const row = this.#freeLeaves.pop() ?? this.#leafRows++;
    if (row === this.#leafDirty.length) {
      const rows = grownRows(row);
      this.#ids = grow(this.#ids, new Uint8Array(rows * CELL_ID_BYTES));
      this.#leafDigests = grow(this.#leafDigests, new Uint8Array(rows * DIGEST_BYTES));
      this.#leafDirty = grow(this.#leafDirty, new Uint8Array(rows));
    }
    this.#ids.set(id, row * CELL_ID_BYTES);
    this.#leafDigests.set(version, row * DIGEST_BYTES);
    this.#leafDirty[row] = 1;
    return row;
  }

  #addInner(bit: number): number {
    const row = this.#freeInner.pop() ?? this.#innerRows++;
    if (row === this.#innerDirty.length) {
      const rows = grownRows(row);
      this.#bits = grow(this.#bits, new Uint16Array(rows));
      this.#left = grow(this.#left, new Int32Array(rows));
      this.#right = grow(this.#right, new Int32Array(rows));
      this.#counts = grow(this.#counts, new Uint32Array(rows));
      this.#innerDigests = grow(this.#innerDigests, new Uint8Array(rows * DIGEST_BYTES));
      this.#innerDirty = grow(this.#innerDirty, new Uint8Array(rows));
    }
    this.#bits[row] = bit;
    this.#innerDirty[row] = 1;
    return row;
  }
}

/** 16 bytes that are the same for the same version of a cell, and not for two. It holds for that cell only: the id is not in it. */
export function fingerprint(version: Pick<RecordHeader, 'seq' | 'expiresAt' | 'deleted' | 'valueHash'>): Uint8Array {
  const { seq, expiresAt, deleted, valueHash } = version;
  assert(valueHash.length === 32, 'a value hash has another length');
  const view = new DataView(VERSION_INPUT.buffer);
  setUint64(view, 1, seq);
  setUint64(view, 9, expiresAt);
  VERSION_INPUT[17] = deleted ? 1 : 0;
  VERSION_INPUT.set(valueHash, 18);
  return hash(VERSION_INPUT).slice();
}

/** 16 bytes for the digests of many ranges, joined in their order. That of one range is its digest, that of nothing anywhere is zeros. */
export function combinedDigest(digests: Uint8Array): Uint8Array {
  assert(digests.length % DIGEST_BYTES === 0, 'part of a digest');
  if (digests.length === DIGEST_BYTES) return digests.slice();
  if (isEmptyDigest(digests)) return new Uint8Array(DIGEST_BYTES);
  const input = new Uint8Array(1 + digests.length);
  input[0] = COMBINED;
  input.set(digests, 1);
  return hash(input).slice();
}

/** Whether these digests say that nothing is held. */
export function isEmptyDigest(digests: Uint8Array): boolean {
  for (let i = 0; i < digests.length; i++) if (digests[i] !== 0) return false;
  return true;
}

// Hash inputs and state that are reused from call to call: nothing yields in between. BOUNDED: fixed size.
const LEAF_INPUT = Uint8Array.of(LEAF, ...new Uint8Array(CELL_ID_BYTES + DIGEST_BYTES));
const INNER_INPUT = Uint8Array.of(INNER, ...new Uint8Array(2 * DIGEST_BYTES));
const VERSION_INPUT = Uint8Array.of(VERSION, ...new Uint8Array(8 + 8 + 1 + 32));
const FRESH_HASH = sha256.create();
const WORKING_HASH = sha256.create();
const OUTPUT = new Uint8Array(32);
const TRUNCATED_OUTPUT = OUTPUT.subarray(0, DIGEST_BYTES);

/** sha256 cut to 16 bytes, valid until the next call. On a hash object that is reset rather than made anew: 1.2 against 3.1 µs a block. */
function hash(input: Uint8Array): Uint8Array {
  FRESH_HASH._cloneInto(WORKING_HASH).update(input).digestInto(OUTPUT);
  return TRUNCATED_OUTPUT;
}

function bitOf(id: Uint8Array, bit: number): number {
  return (id[bit >> 3]! >> (7 - (bit & 7))) & 1;
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value >>> 0);
}

function grownRows(rows: number): number {
  return Math.max(8, Math.ceil(rows * 1.25));
}

function grow<T extends Uint8Array | Uint16Array | Int32Array | Uint32Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
