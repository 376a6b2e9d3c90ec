/**
 * Puts a group of keys in order before anything else is done with it: hints that can be brought home are, and what lies where it no longer belongs
 * is moved. What cannot be is said, so that nobody takes an older version for the newest. One at a time per group: its callers see to that.
 */
import { assert, isNautilusError, NautilusError } from '../../core/index.ts';
import { bytesEqual } from '../../records/index.ts';
import { fromByteText } from '../byte-text.ts';
import type { StorageEntry, StoredEntry } from '../storage.ts';
import { decodeHint, encodeHint, type HintContent, hintKey, isReserved } from './hint.ts';
import type { PendingHint } from './hint-index.ts';
import { GROUP_BYTES } from './key-group.ts';
import type { GroupMove } from './ring-layout.ts';
import type { RingParts } from './ring-parts.ts';
import { isShardFailure, type Shard } from './shard.ts';

/** How one home of a group stands. */
export interface Home {
  readonly shard: Shard;
  /** It is up, and holds the newest of everything. */
  readonly isWhole: boolean;
  /** Something written for it is out of reach: nobody can tell what the newest is. */
  readonly isMissing: boolean;
  /** And it may be unconditional: nothing may be written before it has come. */
  readonly isBlocked: boolean;
  /** Hints for it that can be read, where they are. */
  readonly hints: readonly PendingHint[];
}

export interface Standing {
  readonly homes: readonly Home[];
  /** Former homes that may still have something, and cannot be asked for it. */
  readonly leftBehind: readonly Home[];
}

/** How often somebody else may be faster on one entry. */
const MAX_ATTEMPTS = 8;
const PAGE = 256;

export class GroupSettler {
  readonly #parts: RingParts;

  constructor(parts: RingParts) {
    this.#parts = parts;
  }

  /** Never rejects for a shard that fails: what could not be put in order is out of order in the answer. */
  async settle(group: string): Promise<Standing> {
    const { layout, hints } = this.#parts;
    for (const hint of [...hints.of(group)]) {
      await tryIt(() => this.#bringHome(group, hint));
    }
    await tryIt(() => this.#joinHints(group));
    const move = layout.moveOf(group);
    const left = move === undefined ? undefined : await this.#move(group, move);
    const isFilled = left === undefined || left.size > 0;
    const homes = layout.homes(group);
    const leftBehind = move?.sources.filter((source) => !homes.includes(source) && left?.has(source) !== true) ?? [];
    return {
      homes: homes.map((shard) => this.#standing(group, shard, isFilled ? undefined : move)),
      leftBehind: leftBehind.map((shard) => this.#standing(group, shard, undefined)),
    };
  }

  /** @returns whether a group has left a shard where it had to */
  async moveOff(group: string, source: Shard): Promise<boolean> {
    const { layout } = this.#parts;
    await this.settle(group);
    const move = layout.moveOf(group);
    if (move === undefined || !move.sources.includes(source)) return true;
    return (await this.#move(group, { ...move, sources: [source] })).has(source);
  }

  /**
   * Merges an entry into a shard that is up. @returns what the shard holds then
   * @throws as `Shard.call`; `STORAGE_FAILED` when it is full
   */
  async join(shard: Shard, key: Uint8Array, entry: StorageEntry): Promise<StorageEntry | undefined> {
    const { merge, clock } = this.#parts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const current = await shard.call([key], (storage) => storage.retrieve(key));
      const merged = current === undefined ? entry : withOwnVersion(current, merge(key, current, entry));
      if (current !== undefined && merged.version === current.version) return current;
      if (merged.expiresAt <= clock.now()) {
        if (current !== undefined) await shard.call([key], (storage) => storage.remove(key));
        return undefined;
      }
      const expected = current?.version ?? 'absent';
      const outcome = await shard.call([key], (storage) => storage.storeIf({ key, expected, entry: merged }));
      if (outcome.kind === 'stored') return merged;
      if (outcome.kind === 'full') throw full(shard);
    }
    throw new NautilusError(
      'RESOURCE_EXHAUSTED',
      `somebody else writes to ${shard.name}: the ring must be alone there`,
    );
  }

  /**
   * Writes down what is to be done on a shard that cannot be reached, over what was written down before.
   * @throws NautilusError `SHARD_DOWN` when nobody is left to keep it, `RESOURCE_EXHAUSTED`
   */
  async writeHint(group: string, { shard, hints }: Home, content: HintContent): Promise<'stored' | 'full'> {
    const { layout, observer } = this.#parts;
    const [known, another] = hints.filter(({ key }) => bytesEqual(key, content.key));
    // Two that could not be made one: which of them comes home last would decide.
    if (another !== undefined) throw shard.down();
    if (known !== undefined) {
      const isHard = known.isHard || content.kind !== 'joined';
      const kind = known.isHard && content.kind === 'joined' ? 'replaced' : content.kind;
      return this.#putHint(known.holder, shard, { ...content, kind }, isHard);
    }
    if (this.#parts.hints.isFull) {
      throw new NautilusError(
        'RESOURCE_EXHAUSTED',
        `too many writes wait for ${shard.name}: bring it back, or drain it`,
      );
    }
    let failure: unknown = shard.down();
    let isFull = false;
    for (const holder of layout.hintHolders(group, shard)) {
      try {
        const outcome = await this.#putHint(holder.name, shard, content, content.kind !== 'joined');
        isFull ||= outcome === 'full';
        if (outcome === 'full') continue;
        observer.notify({ type: 'hint-stored', shard: shard.name, holder: holder.name });
        return 'stored';
      } catch (error) {
        failure = error;
        // An unconditional one may be there, unseen: nobody may write past it.
        if (!isOfShard(error) || content.kind !== 'joined') throw error;
      }
    }
    if (isFull) return 'full';
    throw failure;
  }

  /** @returns undefined: it is not there, though it was thought to be */
  async readHint(hint: PendingHint): Promise<HintContent | undefined> {
    const { layout } = this.#parts;
    const at = hintKey(layout.shard(hint.target).tag, hint.key);
    const entry = await layout.shard(hint.holder).call([at], (storage) => storage.retrieve(at));
    return entry && decodeHint(entry);
  }

  /** Everything of a group that lies on a shard, a page at a time. */
  async entriesOn(shard: Shard, group: string): Promise<readonly StoredEntry[]> {
    const prefix = fromByteText(group);
    if (prefix.length < GROUP_BYTES) {
      const entry = await shard.call([prefix], (storage) => storage.retrieve(prefix));
      return entry === undefined ? [] : [{ key: prefix, ...entry }];
    }
    const entries: StoredEntry[] = [];
    for (;;) {
      const after = entries.at(-1)?.key;
      const page = await shard.call([], (storage) =>
        storage.scan({ prefix, limit: PAGE, ...(after !== undefined && { after }) }),
      );
      entries.push(...page);
      if (page.length < PAGE) return entries.filter(({ key }) => !isReserved(key));
    }
  }

  #standing(group: string, shard: Shard, move: GroupMove | undefined): Home {
    const { layout, hints } = this.#parts;
    const own = hints.of(group).filter(({ target }) => target === shard.name);
    const readable = own.filter(({ holder, isDoubtful }) => !isDoubtful && layout.shard(holder).isUp);
    const hidden = own.filter((hint) => !readable.includes(hint));
    const unknown = layout.unknownHintsFor(shard);
    const isUnmoved = move?.lacking.includes(shard) === true;
    const isMissing = hidden.length > 0 || unknown !== undefined || isUnmoved;
    return {
      shard,
      isWhole: shard.isUp && !isMissing && readable.length === 0 && !layout.isBlank(shard),
      isMissing,
      isBlocked: unknown === true || hidden.some(({ isHard }) => isHard),
      hints: readable,
    };
  }

  /** Does what a hint says, then forgets it: killed in between it is done again, before anything newer is written there. */
  async #bringHome(group: string, hint: PendingHint): Promise<void> {
    const { layout, observer, onMerged } = this.#parts;
    const target = layout.shard(hint.target);
    const holder = layout.shard(hint.holder);
    if (!holder.isUp) return;
    const isHome = layout.homes(group).includes(target) || layout.moveOf(group)?.sources.includes(target) === true;
    if (isHome && !target.isUp && !hint.isDoubtful) return;
    const content = await this.readHint(hint);
    if (content !== undefined && hint.isDoubtful) {
      hint.isDoubtful = false;
      hint.isHard = content.kind !== 'joined';
      if (!target.isUp) return;
    }
    if (content !== undefined) {
      if (isHome) await this.#apply(target, content);
      // What it was for no longer keeps this group: those that do are told instead.
      else if (content.kind !== 'removed') await this.#deposit(group, content.key, content.entry);
      onMerged(content.key);
      this.#parts.onRelocated(content.key);
      await this.#drop(hint);
      observer.notify({ type: 'hint-home', shard: hint.target, holder: hint.holder });
    } else this.#parts.hints.delete(hint);
  }

  /** Two hints for one key, because the first was in doubt when the second was written, become one: nothing may be written over half of it. */
  async #joinHints(group: string): Promise<void> {
    const { layout, hints, merge } = this.#parts;
    const firsts = new Map<string, PendingHint>();
    for (const hint of [...hints.of(group)]) {
      const { target, keyText, holder, isDoubtful } = hint;
      if (isDoubtful || !layout.shard(holder).isUp) continue;
      const first = firsts.get(target + keyText);
      if (first === undefined) {
        firsts.set(target + keyText, hint);
        continue;
      }
      const [before, after] = [await this.readHint(first), await this.readHint(hint)];
      if (before?.kind === 'joined' && after?.kind === 'joined') {
        const entry = withOwnVersion(before.entry, merge(hint.key, before.entry, after.entry));
        const outcome = await this.#putHint(first.holder, layout.shard(target), { ...before, entry }, false);
        if (outcome === 'stored') await this.#drop(hint);
      }
    }
  }

  async #drop(hint: PendingHint): Promise<void> {
    const { layout } = this.#parts;
    const at = hintKey(layout.shard(hint.target).tag, hint.key);
    await layout.shard(hint.holder).call([at], (storage) => storage.remove(at));
    this.#parts.hints.delete(hint);
  }

  async #apply(target: Shard, { kind, key, entry }: HintContent): Promise<void> {
    if (kind === 'joined') {
      await this.join(target, key, entry);
      return;
    }
    const isGone = kind === 'removed' || entry.expiresAt <= this.#parts.clock.now();
    if (isGone) await target.call([key], (storage) => storage.remove(key));
    else if ((await target.call([key], (storage) => storage.store(key, entry))) === 'full') throw full(target);
  }

  /** @returns the sources that have given what they had */
  async #move(group: string, { sources }: GroupMove): Promise<ReadonlySet<Shard>> {
    const { layout, hints } = this.#parts;
    const homes = layout.homes(group);
    const left = new Set<Shard>();
    for (const source of sources) {
      const isWaitedFor = hints.of(group).some(({ target }) => target === source.name);
      if (!source.isUp || isWaitedFor || layout.unknownHintsFor(source) !== undefined) continue;
      const isDone = await tryIt(async () => {
        for (const { key, ...entry } of await this.entriesOn(source, group)) {
          this.#parts.onRelocated(key);
          await this.#deposit(group, key, entry);
          if (!homes.includes(source)) await source.call([key], (storage) => storage.remove(key));
        }
        return true;
      });
      if (isDone === true) left.add(source);
    }
    return left;
  }

  /** Has every home of a group hold at least this. */
  async #deposit(group: string, key: Uint8Array, entry: StorageEntry): Promise<void> {
    for (const shard of this.#parts.layout.homes(group)) {
      if (shard.isUp) {
        await this.join(shard, key, entry);
        continue;
      }
      const home = this.#standing(group, shard, undefined);
      const outcome = await this.writeHint(group, home, await this.withKnownHint(home, { kind: 'joined', key, entry }));
      if (outcome === 'full') throw full(shard);
    }
  }

  /** What a hint says already, and this too. */
  async withKnownHint({ hints }: Home, content: HintContent): Promise<HintContent> {
    const known = hints.find(({ key }) => bytesEqual(key, content.key));
    const before = known && (await this.readHint(known));
    if (before === undefined || before.kind === 'removed') return content;
    return {
      ...content,
      entry: withOwnVersion(before.entry, this.#parts.merge(content.key, before.entry, content.entry)),
    };
  }

  async #putHint(holder: string, target: Shard, content: HintContent, isHard: boolean): Promise<'stored' | 'full'> {
    const { layout, hints, notes } = this.#parts;
    const at = hintKey(target.tag, content.key);
    const known = hints.find(content.key, target.name, holder);
    const before = known && { ...known };
    const hint = { key: content.key.slice(), target: target.name, holder, isHard, isDoubtful: true };
    // Known before it is written: from then on nobody passes it by.
    hints.add(hint);
    let isHandedOn = false;
    const undo = () => {
      if (before !== undefined) hints.add(before);
      else hints.delete(hints.find(hint.key, hint.target, holder)!);
    };
    try {
      await notes.note(holder, target.name, isHard);
      const outcome = await layout.shard(holder).call([at], (storage) => {
        isHandedOn = true;
        return storage.store(at, encodeHint(content));
      });
      if (outcome === 'stored') hints.add({ ...hint, isDoubtful: false });
      else undo();
      return outcome;
    } catch (error) {
      if (!isHandedOn) undo();
      throw error;
    } finally {
      this.#parts.onHint();
    }
  }
}

/**
 * The version of what two entries were merged into: that of the one it is, unless the other has the same or a later one; whoever has seen either
 * must not take the result for it.
 */
export function withOwnVersion(current: StorageEntry, merged: StorageEntry): StorageEntry {
  const isSame = bytesEqual(merged.value, current.value) && merged.expiresAt === current.expiresAt;
  if (isSame) return merged.version > current.version ? merged : current;
  return { ...merged, version: Math.max(merged.version, current.version + 1) };
}

/** A shard failed, was busy or is down: not a bug of ours. */
export function isOfShard(error: unknown): boolean {
  return isNautilusError(error) || isShardFailure(error);
}

function full(shard: Shard): NautilusError {
  return new NautilusError('STORAGE_FAILED', `the storage ${shard.name} is full: give it more room`);
}

async function tryIt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    assert(isOfShard(error), `settling a group failed: ${String(error)}`);
    return undefined; // it stays out of order, and its standing says so; the shard has told why
  }
}
