/**
 * What this node holds, as digests: a Merkle trie kept in step with the record store, so that two nodes find what differs between them without
 * naming what does not. A record that expires keeps its header, its version and so its place here until even the floor is forgotten.
 */
import type { CellVersion } from '../kademlia/index.ts';
import {
  bytesEqual,
  type CellRange,
  cellId,
  cellRange,
  KEY_ID_BYTES,
  type RecordHeader,
  type RecordStore,
} from '../records/index.ts';
import { combinedDigest, DigestTrie, fingerprint } from './digest-trie.ts';

export class HeldCells {
  readonly #store: RecordStore;
  readonly #trie = new DigestTrie();
  readonly #unsubscribe: () => void;

  private constructor(store: RecordStore) {
    this.#store = store;
    this.#unsubscribe = store.subscribe((change) => {
      if (change.kind === 'held') this.#add(change.header);
      else this.#trie.delete(change.cellId);
    });
  }

  /** Reads every cell of the store once. */
  static async load(store: RecordStore): Promise<HeldCells> {
    const held = new HeldCells(store);
    // Changes are heard from the first moment on: what is read late is not older than what was heard, but it may be gone again.
    for await (const { header } of store.cells()) held.#add(header);
    return held;
  }

  close(): void {
    this.#unsubscribe();
  }

  get size(): number {
    return this.#trie.size;
  }

  count(range: CellRange): number {
    return this.#trie.count(range);
  }

  /** 16 bytes; zeros when nothing is held there. */
  digest(range: CellRange): Uint8Array {
    return this.#trie.digest(range);
  }

  /** One digest of each range, joined. */
  digests(ranges: readonly CellRange[]): Uint8Array {
    return this.#trie.digests(ranges);
  }

  /** One digest of all ranges together. */
  combinedDigest(ranges: readonly CellRange[]): Uint8Array {
    return combinedDigest(this.digests(ranges));
  }

  /** Ids of the keys with cells in these ranges, ascending. */
  keyIds(ranges: readonly CellRange[]): readonly Uint8Array[] {
    const ids: Uint8Array[] = [];
    for (const range of ranges) {
      for (const cell of this.#trie.cells(range)) {
        const id = cell.subarray(0, KEY_ID_BYTES);
        const last = ids.at(-1);
        if (last === undefined || !bytesEqual(last, id)) ids.push(id.slice());
      }
    }
    return ids;
  }

  /** Every version held in a range. For ranges with few cells. */
  async versions(range: CellRange): Promise<readonly CellVersion[]> {
    const versions: CellVersion[] = [];
    for (const id of [...this.#trie.cells(range)]) {
      for await (const { header } of this.#store.cells({ range: cellRange(id, id.length * 8) })) {
        versions.push(toVersion(header));
      }
    }
    return versions;
  }

  #add(header: RecordHeader): void {
    this.#trie.set(cellId(header), fingerprint(header));
  }
}

function toVersion(header: RecordHeader): CellVersion {
  const { seq, expiresAt, deleted, valueHash } = header;
  return { cellId: cellId(header), seq, expiresAt, deleted, valueHash };
}
