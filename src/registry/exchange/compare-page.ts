/**
 * One range of keys of two storages side by side: by its digest first, and entry by entry where that differs. Pure; how much of the order the two
 * pages cover together is part of the answer, so that neither has to be read to its end at once.
 */
import { createHash } from 'node:crypto';
import { bytesEqual, compareBytes } from '../../records/index.ts';
import { earlierKey } from '../key-order.ts';
import type { StoredEntry } from '../storage.ts';

export interface RangeDigest {
  readonly count: number;
  /** Hex SHA-256 over key, version, deadline and value of every entry, in order. */
  readonly hash: string;
}

export interface PageDifference {
  readonly key: Uint8Array;
  /** What the original has; undefined: nothing, the copy has one too many. */
  readonly original: StoredEntry | undefined;
  readonly copy: StoredEntry | undefined;
}

export interface PageComparison {
  /** Entries of the original that were looked at. */
  readonly count: number;
  readonly differences: readonly PageDifference[];
  /** The last key looked at; undefined: there are no more on either side. */
  readonly end: Uint8Array | undefined;
}

/** Both pages begin behind the same key, are in key order, and were asked for `limit` entries; fewer are the last ones. */
export function comparePage(
  original: readonly StoredEntry[],
  copy: readonly StoredEntry[],
  limit: number,
): PageComparison {
  const end = earlierKey(endOf(original, limit), endOf(copy, limit));
  const left = until(original, end);
  const right = until(copy, end);
  const [a, b] = [digestOf(left), digestOf(right)];
  const isEqual = a.count === b.count && a.hash === b.hash;
  return { count: left.length, differences: isEqual ? [] : differencesOf(left, right), end };
}

export function digestOf(entries: readonly StoredEntry[]): RangeDigest {
  const hash = createHash('sha256');
  const head = new DataView(new ArrayBuffer(24));
  for (const { key, value, version, expiresAt } of entries) {
    head.setUint32(0, key.length);
    head.setUint32(4, value.length);
    head.setFloat64(8, version);
    head.setFloat64(16, expiresAt);
    hash.update(new Uint8Array(head.buffer)).update(key).update(value);
  }
  return { count: entries.length, hash: hash.digest('hex') };
}

function differencesOf(left: readonly StoredEntry[], right: readonly StoredEntry[]): PageDifference[] {
  const differences: PageDifference[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const original = left[l];
    const copy = right[r];
    const order = original && copy ? compareBytes(original.key, copy.key) : original ? -1 : 1;
    if (order <= 0) l++;
    if (order >= 0) r++;
    if (order < 0) differences.push({ key: original!.key, original, copy: undefined });
    else if (order > 0) differences.push({ key: copy!.key, original: undefined, copy });
    else if (!isSame(original!, copy!)) differences.push({ key: original!.key, original, copy });
  }
  return differences;
}

function isSame(a: StoredEntry, b: StoredEntry): boolean {
  return a.version === b.version && a.expiresAt === b.expiresAt && bytesEqual(a.value, b.value);
}

function endOf(page: readonly StoredEntry[], limit: number): Uint8Array | undefined {
  return page.length < limit ? undefined : page.at(-1)?.key;
}

function until(page: readonly StoredEntry[], end: Uint8Array | undefined): readonly StoredEntry[] {
  return end === undefined ? page : page.filter(({ key }) => compareBytes(key, end) <= 0);
}
