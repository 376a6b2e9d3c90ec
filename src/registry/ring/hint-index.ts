/**
 * Which hints wait where, without asking a shard: rebuilt from the shards at the start, kept in step from then on. Groups with a hint are the
 * only ones that need more than one shard; everybody else passes by with one look here.
 */
import type { Load } from '../../core/index.ts';
import { toByteText } from '../byte-text.ts';
import { SortedKeys } from '../sorted-keys.ts';
import { groupOf } from './key-group.ts';

export interface PendingHint {
  readonly key: Uint8Array;
  readonly keyText: string;
  /** Name of the shard it is for, and of the one that keeps it. */
  readonly target: string;
  readonly holder: string;
  /** Unconditional: nothing may be written before it has arrived. Unknown while its writing is in doubt: then taken for one. */
  isHard: boolean;
  /** The write of it failed, and may have happened nevertheless. */
  isDoubtful: boolean;
}

const NONE: readonly PendingHint[] = [];

export class HintIndex {
  readonly #limit: number;
  // BOUNDED: limit, over all groups.
  readonly #groups = new Map<string, PendingHint[]>();
  /** Groups in order, for scans and for going through all of them. */
  readonly #order = new SortedKeys();
  // BOUNDED: by the pairs of shards.
  readonly #pairs = new Map<string, number>();
  #size = 0;

  /** @param limit hints in memory; each takes about 300 bytes and its key */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit;
  }

  get load(): Load {
    return { size: this.#size, limit: this.#limit };
  }

  of(group: string): readonly PendingHint[] {
    return this.#groups.get(group) ?? NONE;
  }

  /** Hints one shard keeps for another. */
  count(holder: string, target: string): number {
    return this.#pairs.get(pairOf(holder, target)) ?? 0;
  }

  heldBy(holder: string): number {
    let count = 0;
    for (const [pair, hints] of this.#pairs) if (pair.startsWith(`${holder}\n`)) count += hints;
    return count;
  }

  waitingFor(target: string): number {
    let count = 0;
    for (const [pair, hints] of this.#pairs) if (pair.endsWith(`\n${target}`)) count += hints;
    return count;
  }

  find(key: Uint8Array, target: string, holder: string): PendingHint | undefined {
    const text = toByteText(key);
    return this.of(groupOf(key)).find(
      (hint) => hint.keyText === text && hint.target === target && hint.holder === holder,
    );
  }

  add(hint: Omit<PendingHint, 'keyText'>): void {
    const known = this.find(hint.key, hint.target, hint.holder);
    if (known !== undefined) {
      known.isHard = hint.isHard;
      known.isDoubtful = hint.isDoubtful;
      return;
    }
    const group = groupOf(hint.key);
    const hints = this.#groups.get(group);
    const pending = { ...hint, keyText: toByteText(hint.key) };
    if (hints === undefined) {
      this.#groups.set(group, [pending]);
      this.#order.add(group);
    } else hints.push(pending);
    this.#count(pending, 1);
  }

  delete(hint: PendingHint): void {
    const group = groupOf(hint.key);
    const hints = this.#groups.get(group);
    const index = hints?.indexOf(hint) ?? -1;
    if (hints === undefined || index === -1) return;
    hints.splice(index, 1);
    this.#count(hint, -1);
    if (hints.length > 0) return;
    this.#groups.delete(group);
    this.#order.delete(group);
  }

  /** Groups with hints from one on, inclusive, in order: at most `limit`. */
  groups(from: string, limit: number): readonly string[] {
    const found: string[] = [];
    for (const group of this.#order.from(from)) {
      if (found.length >= limit) break;
      found.push(group);
    }
    return found;
  }

  #count({ holder, target }: PendingHint, change: number): void {
    const pair = pairOf(holder, target);
    const count = (this.#pairs.get(pair) ?? 0) + change;
    this.#size += change;
    if (count === 0) this.#pairs.delete(pair);
    else this.#pairs.set(pair, count);
  }
}

/** Names have no line breaks. */
function pairOf(holder: string, target: string): string {
  return `${holder}\n${target}`;
}
