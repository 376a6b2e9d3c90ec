import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellRange, compareBytes, rangeContains } from '../../../src/records/index.ts';
import { DigestTrie } from '../../../src/replication/digest-trie.ts';

const EVERYTHING = cellRange(new Uint8Array(0), 0);

/** Few enough that operations meet the same cells; different in the key, in the publisher, or only in the last bit. */
const cellIds = fc
  .tuple(fc.nat({ max: 31 }), fc.constantFrom(0, 31, 32, 63), fc.constantFrom(0, 1, 0x80))
  .map(([first, at, value]) => {
    const id = new Uint8Array(64).fill(0x5a);
    id[at] = value;
    id[0]! ^= first << 2;
    return id;
  });

interface Operation {
  readonly id: Uint8Array;
  /** What is set; undefined: deleted. */
  readonly version: number | undefined;
  /** Ask for a digest now, so that the next change meets clean nodes. */
  readonly isAsked: boolean;
}

const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.record({
    id: cellIds,
    version: fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 2 }),
    isAsked: fc.boolean(),
  }),
  { maxLength: 120 },
);

interface Held {
  readonly id: Uint8Array;
  readonly version: Uint8Array;
}

/** What is left of the operations, ascending. */
function modelOf(list: readonly Operation[]): Held[] {
  const held = new Map<string, Held>();
  for (const { id, version } of list) {
    if (version === undefined) held.delete(id.join());
    else held.set(id.join(), { id, version: new Uint8Array(16).fill(version) });
  }
  return [...held.values()].sort((a, b) => compareBytes(a.id, b.id));
}

function trieOf(list: readonly Operation[]): DigestTrie {
  const trie = new DigestTrie();
  for (const { id, version, isAsked } of list) {
    if (version === undefined) trie.delete(id);
    else trie.set(id, new Uint8Array(16).fill(version));
    if (isAsked) trie.digest(cellRange(id, 3));
  }
  return trie;
}

function hash(...bytes: readonly number[]): Uint8Array {
  return sha256(Uint8Array.from(bytes)).slice(0, 16);
}

/** The definition, bit by bit: an only child is passed through. */
function digestOf(held: readonly Held[], bit = 0): Uint8Array {
  if (held.length === 0) return new Uint8Array(16);
  if (held.length === 1) return hash(0, ...held[0]!.id, ...held[0]!.version);
  const isRight = ({ id }: Held) => (id[bit >> 3]! & (0x80 >> (bit & 7))) !== 0;
  const left = held.filter((it) => !isRight(it));
  const right = held.filter(isRight);
  if (left.length === 0 || right.length === 0) return digestOf(held, bit + 1);
  return hash(1, ...digestOf(left, bit + 1), ...digestOf(right, bit + 1));
}

describe('DigestTrie', () => {
  it('knows of every range what is in it, whatever happened before', () => {
    fc.assert(
      fc.property(operations, fc.array(fc.tuple(cellIds, fc.nat({ max: 512 })), { maxLength: 20 }), (list, asked) => {
        const trie = trieOf(list);
        const model = modelOf(list);
        expect(trie.size).toBe(model.length);
        for (const range of [EVERYTHING, ...asked.map(([id, bits]) => cellRange(id, bits))]) {
          const held = model.filter(({ id }) => rangeContains(range, id));
          expect(trie.count(range)).toBe(held.length);
          expect([...trie.cells(range)].map((id) => id.join())).toEqual(held.map(({ id }) => id.join()));
          expect(trie.digest(range)).toEqual(digestOf(held));
        }
      }),
    );
  });

  it('agrees with another exactly when both hold the same', () => {
    fc.assert(
      fc.property(operations, operations, (first, second) => {
        const [a, b] = [modelOf(first), modelOf([...first, ...second])];
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        const digests = [trieOf(first), trieOf([...first, ...second])].map((trie) => trie.digest(EVERYTHING).join());
        expect(digests[0] === digests[1]).toBe(isSame);
      }),
    );
  });

  it('does not remember what was undone', () => {
    fc.assert(
      fc.property(operations, operations, (list, detour) => {
        const trie = trieOf([...list, ...detour]);
        for (const { id } of detour) trie.delete(id);
        const touched = new Set(detour.map(({ id }) => id.join()));
        for (const { id, version } of modelOf(list)) if (touched.has(id.join())) trie.set(id, version);
        expect(trie.digest(EVERYTHING)).toEqual(trieOf(list).digest(EVERYTHING));
      }),
    );
  });
});
