import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { cellRange } from '../../../src/records/index.ts';
import { combinedDigest, DigestTrie, fingerprint } from '../../../src/replication/digest-trie.ts';

const EVERYTHING = cellRange(new Uint8Array(0), 0);
const NOTHING = new Uint8Array(16);

/** A cell id that begins with a byte and is the same behind it. */
function cell(first: number): Uint8Array {
  const id = new Uint8Array(64).fill(0x5a);
  id[0] = first;
  return id;
}

function version(value: number): Uint8Array {
  return new Uint8Array(16).fill(value);
}

function trieOf(...cells: readonly (readonly [number, number])[]): DigestTrie {
  const trie = new DigestTrie();
  for (const [first, value] of cells) trie.set(cell(first), version(value));
  return trie;
}

/** sha256 of a kind and parts, cut to 16 bytes: how the digests are defined. */
function hash(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(Uint8Array.from([kind, ...parts.flatMap((part) => [...part])])).slice(0, 16);
}

const leaf = (first: number, value: number) => hash(0, cell(first), version(value));

describe('DigestTrie', () => {
  it('is zeros where nothing is', () => {
    expect(new DigestTrie().digest(EVERYTHING)).toEqual(NOTHING);
    const trie = trieOf([0b1000_0000, 1]);
    expect(trie.digest(cellRange(cell(0), 1))).toEqual(NOTHING);
    expect(trie.count(cellRange(cell(0), 1))).toBe(0);
    expect([...trie.cells(cellRange(cell(0), 1))]).toEqual([]);
  });

  it('hashes a cell with its version, and halves with each other', () => {
    const trie = trieOf([0b1100_0000, 3], [0b0000_0000, 1], [0b1000_0000, 2]);
    const right = hash(1, leaf(0b1000_0000, 2), leaf(0b1100_0000, 3));
    expect(trie.digest(EVERYTHING)).toEqual(hash(1, leaf(0, 1), right));
    expect(trie.digest(cellRange(cell(0b1000_0000), 1))).toEqual(right);
    expect(trie.digest(cellRange(cell(0b1100_0000), 512))).toEqual(leaf(0b1100_0000, 3));
  });

  it('is the same for a wide range and a narrow one with the same cells', () => {
    const trie = trieOf([0b1010_0000, 1], [0b1010_0001, 2]);
    const narrow = trie.digest(cellRange(cell(0b1010_0000), 7));
    for (let bits = 0; bits < 7; bits++) expect(trie.digest(cellRange(cell(0b1010_0000), bits))).toEqual(narrow);
  });

  it('takes another version of a cell for a difference, and the old one for none', () => {
    const trie = trieOf([1, 1], [2, 2]);
    const before = trie.digest(EVERYTHING);
    trie.set(cell(1), version(9));
    expect(trie.digest(EVERYTHING)).not.toEqual(before);
    expect(trie.size).toBe(2);
    trie.set(cell(1), version(1));
    expect(trie.digest(EVERYTHING)).toEqual(before);
  });

  it('forgets a cell without a trace', () => {
    const trie = trieOf([1, 1], [2, 2]);
    expect(trie.delete(cell(3))).toBe(false);
    expect(trie.delete(cell(2))).toBe(true);
    expect(trie.delete(cell(2))).toBe(false);
    expect(trie.digest(EVERYTHING)).toEqual(leaf(1, 1));
    expect(trie.delete(cell(1))).toBe(true);
    expect(trie.digest(EVERYTHING)).toEqual(NOTHING);
    expect(trie.delete(cell(1))).toBe(false);
    expect(trie.size).toBe(0);
  });

  it('gives ids that stay what they are', () => {
    const trie = trieOf([1, 1], [2, 2]);
    const ids = [...trie.cells(EVERYTHING)];
    trie.delete(cell(1));
    trie.set(cell(7), version(7));
    expect(ids).toEqual([cell(1), cell(2)]);
  });

  it('joins the digests of ranges in their order', () => {
    const trie = trieOf([0b0000_0000, 1], [0b1000_0000, 2]);
    const ranges = [cellRange(cell(0), 1), cellRange(cell(0b0100_0000), 2), cellRange(cell(0b1000_0000), 2)];
    expect(trie.digests(ranges)).toEqual(Uint8Array.of(...leaf(0, 1), ...NOTHING, ...leaf(0b1000_0000, 2)));
    expect(trie.digests([])).toEqual(new Uint8Array(0));
  });

  it('tells cells of one key apart by their publishers', () => {
    const trie = new DigestTrie();
    const ids = [0, 1, 0x80].map((last) => {
      const id = cell(5);
      id[63] = last;
      return id;
    });
    for (const id of ids) trie.set(id, version(1));
    expect(trie.count(cellRange(cell(5), 256))).toBe(3);
    expect([...trie.cells(cellRange(cell(5), 256))]).toEqual(ids);
    expect(trie.digest(cellRange(ids[1]!, 512))).toEqual(hash(0, ids[1]!, version(1)));
  });

  it('refuses ids and fingerprints of another length as a bug', () => {
    const trie = new DigestTrie();
    expect(() => trie.set(new Uint8Array(32), version(1))).toThrow('another length');
    expect(() => trie.set(cell(1), new Uint8Array(32))).toThrow('another length');
    expect(() => trie.delete(new Uint8Array(32))).toThrow('another length');
  });
});

describe('fingerprint', () => {
  const base = { seq: 2 ** 50 + 1, expiresAt: 1_795_000_000_000, deleted: false, valueHash: new Uint8Array(32) };

  it('differs in every field, also above 32 bits', () => {
    const versions = [
      base,
      { ...base, seq: base.seq + 1 },
      { ...base, seq: base.seq + 2 ** 32 },
      { ...base, expiresAt: base.expiresAt + 1 },
      { ...base, expiresAt: base.expiresAt + 2 ** 32 },
      { ...base, deleted: true },
      { ...base, valueHash: new Uint8Array(32).fill(1) },
    ];
    expect(new Set(versions.map((it) => fingerprint(it).join())).size).toBe(versions.length);
    expect(fingerprint({ ...base })).toEqual(fingerprint(base));
  });

  it('stays what it is when another is made', () => {
    const first = fingerprint(base);
    const copy = first.slice();
    fingerprint({ ...base, seq: 1 });
    expect(first).toEqual(copy);
    expect(first).toHaveLength(16);
  });
});

describe('combinedDigest', () => {
  it('is the digest itself of one range, and zeros where nothing is at all', () => {
    expect(combinedDigest(version(4))).toEqual(version(4));
    expect(combinedDigest(new Uint8Array(48))).toEqual(NOTHING);
    expect(combinedDigest(new Uint8Array(0))).toEqual(NOTHING);
  });

  it('depends on which range has which digest', () => {
    const joined = (...values: readonly number[]) => Uint8Array.from(values.flatMap((value) => [...version(value)]));
    const all = [joined(1, 2), joined(2, 1), joined(1, 0), joined(0, 1), joined(1, 0, 0), joined(1)];
    expect(new Set(all.map((it) => combinedDigest(it).join())).size).toBe(all.length);
    expect(combinedDigest(joined(1, 2))).toEqual(hash(2, joined(1, 2)));
    expect(() => combinedDigest(new Uint8Array(17))).toThrow('part of a digest');
  });
});
