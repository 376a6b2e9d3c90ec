/** Which shards a group of keys concerns at this moment: where it belongs, where it may still lie while shares change, who takes hints for it. */
import { assert } from '../../core/index.ts';
import type { HashRing } from './hash-ring.ts';
import type { RingNotes } from './ring-notes.ts';
import type { Shard } from './shard.ts';

export interface GroupMove {
  /** Former homes it was not moved from yet. */
  readonly sources: readonly Shard[];
  /** Homes that had no copy before, and were given none yet. */
  readonly lacking: readonly Shard[];
}

export class RingLayout {
  /** All shards by name, those without a share too. */
  readonly shards: ReadonlyMap<string, Shard>;
  readonly #notes: RingNotes;
  #ring: HashRing;
  #former: HashRing | undefined;
  // BOUNDED: by the shards. The last group that was moved off each, in order.
  readonly #swept = new Map<string, string>();
  // BOUNDED: by the shards. Those whose hints are not known yet.
  readonly #unmet: Set<string>;
  // BOUNDED: by the shards. Those that came back empty and are being filled from the other copies.
  readonly #blank = new Set<string>();

  constructor(shards: ReadonlyMap<string, Shard>, ring: HashRing, notes: RingNotes) {
    this.shards = shards;
    this.#notes = notes;
    this.#ring = ring;
    this.#unmet = new Set(shards.keys());
  }

  get copies(): number {
    return this.#ring.copies;
  }

  get isMoving(): boolean {
    return this.#former !== undefined;
  }

  shard(name: string): Shard {
    const shard = this.shards.get(name);
    assert(shard !== undefined, `the ring has no shard ${name}`);
    return shard;
  }

  share(name: string): number {
    return this.#ring.share(name);
  }

  /** Where a group belongs, in order of preference. */
  homes(group: string): readonly Shard[] {
    return this.#ring.homes(this.#ring.virtualNode(group)).map((name) => this.shard(name));
  }

  /** What is left to do for a group because shares changed; undefined: nothing. */
  moveOf(group: string): GroupMove | undefined {
    if (this.#former === undefined) return undefined;
    const homes = this.#ring.homes(this.#ring.virtualNode(group));
    const formers = this.#former.homes(this.#former.virtualNode(group));
    if (homes.length === formers.length && homes.every((name) => formers.includes(name))) return undefined;
    const unswept = formers.filter((name) => !this.#isSwept(name, group));
    if (unswept.length === 0) return undefined;
    const lacking = unswept.length < formers.length ? [] : homes.filter((name) => !formers.includes(name));
    const toShard = (name: string) => this.shard(name);
    return { sources: unswept.map(toShard), lacking: lacking.map(toShard) };
  }

  /** Who may keep a hint for one of its homes, best first. */
  hintHolders(group: string, target: Shard): readonly Shard[] {
    const names = this.#ring.preference(this.#ring.virtualNode(group));
    const shards = names.map((name) => this.shard(name)).filter((shard) => shard !== target && shard.isUp);
    // Another home has what the hint says already: losing it would cost both.
    const homes = new Set(this.homes(group));
    return [...shards.filter((shard) => !homes.has(shard)), ...shards.filter((shard) => homes.has(shard))];
  }

  /** Shares change: from then on groups may lie where they did before, until every shard has been swept. */
  moveTo(ring: HashRing, former: HashRing): void {
    this.#ring = ring;
    this.#former = former;
    this.#swept.clear();
  }

  /** Shards that had a share before. */
  formerShards(): readonly Shard[] {
    return [...this.shards.values()].filter(({ name }) => this.#former?.has(name) === true);
  }

  /** Shards that keep nothing, or are to keep nothing. */
  withoutShare(): readonly Shard[] {
    return [...this.shards.values()].filter(({ name }) => !this.#ring.has(name));
  }

  /** Groups up to this one, in order, have left the shard where they had to. */
  sweptUpTo(shard: Shard, group: string): void {
    this.#swept.set(shard.name, group);
  }

  moved(): void {
    this.#former = undefined;
    this.#swept.clear();
  }

  /** The hints it keeps for others are in the index. */
  met(shard: Shard): void {
    this.#unmet.delete(shard.name);
  }

  isMet(shard: Shard): boolean {
    return !this.#unmet.has(shard.name);
  }

  /** Some shard that was not heard of since the start may keep hints for this one. Undefined: none; else whether some may be unconditional. */
  unknownHintsFor(target: Shard): boolean | undefined {
    let worst: boolean | undefined;
    for (const holder of this.#unmet) {
      const isHard = this.#notes.isHard(holder, target.name);
      if (isHard !== undefined) worst = worst === true || isHard;
    }
    return worst;
  }

  /** Shards that keep, or may still keep, something that cannot be read. */
  unreadable(): readonly Shard[] {
    return [...this.shards.values()].filter((shard) => {
      const isConcerned = this.#ring.has(shard.name) || this.#former?.has(shard.name) === true;
      return isConcerned && !this.isReadable(shard);
    });
  }

  /** It is up, and nothing written for it is on a shard that nobody has heard of yet. What waits for it elsewhere is another question: see HintIndex. */
  isReadable(shard: Shard): boolean {
    return shard.isUp && !this.isBlank(shard) && this.unknownHintsFor(shard) === undefined;
  }

  setBlank(shard: Shard, isBlank: boolean): void {
    if (isBlank) this.#blank.add(shard.name);
    else this.#blank.delete(shard.name);
  }

  isBlank(shard: Shard): boolean {
    return this.#blank.has(shard.name);
  }

  #isSwept(name: string, group: string): boolean {
    const swept = this.#swept.get(name);
    return swept !== undefined && group <= swept;
  }
}
