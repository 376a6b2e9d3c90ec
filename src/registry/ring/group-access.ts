/**
 * Reads and writes of keys in one group, given how its homes stand: a whole home judges and answers, the others are given the result or a hint.
 * Where no home is whole, a read is answered from hints or not at all, and a conditional write is taken on trust, to be merged later.
 */
import { NautilusError } from '../../core/index.ts';
import { bytesEqual, compareBytes } from '../../records/index.ts';
import { toByteText } from '../byte-text.ts';
import type { ScanOptions, StorageEntry, StoredEntry, StoreIfOperation, StoreIfOutcome } from '../storage.ts';
import { type GroupSettler, type Home, isOfShard, withOwnVersion } from './group-settler.ts';
import { type HintContent, removal } from './hint.ts';
import { inRange } from './in-range.ts';
import type { RingParts } from './ring-parts.ts';
import type { Shard } from './shard.ts';

type StoreScan = Omit<ScanOptions, 'signal'>;

/** What can be said of a key at a home that is not whole. */
type View = { readonly kind: 'known'; readonly entry: StorageEntry | undefined } | { readonly kind: 'unknown' };

/** `by`: the home that stored it in the same step; `failed`: those that were asked first, and failed. */
type Judgement =
  | { readonly outcome: StoreIfOutcome }
  | { readonly by: Home | undefined; readonly failed: ReadonlySet<Home> };

/** How often the ground may move under a write: a home that fails while it is asked. */
const MAX_ATTEMPTS = 4;

export class GroupAccess {
  readonly #parts: RingParts;
  readonly #settler: GroupSettler;

  constructor(parts: RingParts, settler: GroupSettler) {
    this.#parts = parts;
    this.#settler = settler;
  }

  /** @param failed a home that has just failed to answer: it is asked last */
  async retrieve(group: string, key: Uint8Array, failed?: Shard): Promise<StorageEntry | undefined> {
    return this.#read(
      group,
      failed,
      ({ shard }) => shard.call([key], (storage) => storage.retrieve(key)),
      async (home) => {
        const view = await this.#view(home, key);
        return view.kind === 'known' ? { value: this.#live(view.entry) } : undefined;
      },
    );
  }

  /** `prefix` is at least a group. @param failed as for `retrieve` */
  async scan(group: string, options: StoreScan, failed?: Shard): Promise<readonly StoredEntry[]> {
    return this.#read(
      group,
      failed,
      ({ shard }) => shard.call([], (storage) => storage.scan(options)),
      async (home) => {
        if (!home.shard.isUp && home.hints.length === 0) return undefined;
        return { value: await this.#scanView(group, home, options) };
      },
    );
  }

  async storeIf(group: string, operation: StoreIfOperation): Promise<StoreIfOutcome> {
    for (let attempt = 1; ; attempt++) {
      const { homes } = await this.#settler.settle(group);
      try {
        return await this.#storeIf(group, homes, operation);
      } catch (error) {
        // A home failed that was thought to be whole: without it things stand otherwise. What it may have done all the same is merged later.
        const hasFailed = homes.some(({ isWhole, shard }) => isWhole && !shard.isUp);
        if (!hasFailed || attempt === MAX_ATTEMPTS || !isOfShard(error)) throw error;
      }
    }
  }

  async store(group: string, key: Uint8Array, entry: StorageEntry): Promise<'stored' | 'full'> {
    const outcomes = await this.#writeHard(group, { kind: 'replaced', key, entry }, ({ shard }) =>
      shard.call([key], (storage) => storage.store(key, entry)),
    );
    return outcomes.includes('full') ? 'full' : 'stored';
  }

  /** Of what lies on a shard that is down, nobody knows whether there was something: then it counts as nothing. */
  async remove(group: string, key: Uint8Array): Promise<boolean> {
    let wasHinted = false;
    const outcomes = await this.#writeHard(
      group,
      removal(key),
      ({ shard }) => shard.call([key], (storage) => storage.remove(key)),
      async (home) => {
        const view = await this.#view(home, key);
        wasHinted ||= view.kind === 'known' && this.#live(view.entry) !== undefined;
      },
    );
    return wasHinted || outcomes.includes(true);
  }

  /** Copies of one key that differ, though nothing is pending, become one: a write was cut off between them. */
  async mend(group: string, key: Uint8Array): Promise<void> {
    const { homes } = await this.#settler.settle(group);
    const up = homes.filter(({ shard, isMissing, hints }) => shard.isUp && !isMissing && hints.length === 0);
    let newest: StorageEntry | undefined;
    for (const { shard } of up) {
      const entry = await shard.call([key], (storage) => storage.retrieve(key));
      if (entry === undefined) continue;
      newest = newest === undefined ? entry : withOwnVersion(newest, this.#parts.merge(key, newest, entry));
    }
    if (newest === undefined) return;
    for (const { shard } of up) await this.#settler.join(shard, key, newest);
  }

  async #read<T>(
    group: string,
    failed: Shard | undefined,
    fromShard: (home: Home) => Promise<T>,
    fromHints: (home: Home) => Promise<{ readonly value: T } | undefined>,
  ): Promise<T> {
    const { homes } = await this.#settler.settle(group);
    let failure: unknown;
    const isFailed = ({ shard }: Home) => shard === failed;
    for (const home of [...homes.filter((each) => !isFailed(each)), ...homes.filter(isFailed)]) {
      if (!home.isWhole) continue;
      try {
        return await fromShard(home);
      } catch (error) {
        if (!isOfShard(error)) throw error;
        failure ??= error;
      }
    }
    for (const home of homes) {
      if (home.isWhole || home.isMissing || this.#parts.layout.isBlank(home.shard)) continue;
      const answer = await fromHints(home);
      if (answer !== undefined) return answer.value;
    }
    throw failure ?? this.#outOfReach(homes);
  }

  async #storeIf(group: string, homes: readonly Home[], operation: StoreIfOperation): Promise<StoreIfOutcome> {
    const { key, entry } = operation;
    if (homes.some(({ isBlocked }) => isBlocked)) throw this.#outOfReach(homes);
    const judged = await this.#judge(homes, operation);
    if ('outcome' in judged) return judged.outcome;
    const { by, failed } = judged;
    for (const home of homes) {
      if (home === by) continue;
      const outcome = await this.#giveTo(group, home, { kind: 'joined', key, entry }, failed.has(home));
      // Nothing was stored yet, and nothing is promised.
      if (outcome === 'full' && by === undefined && home === homes[0]) return { kind: 'full' };
      if (outcome === 'full')
        throw new NautilusError('STORAGE_FAILED', `the storage ${home.shard.name} is full: give it more room`);
    }
    return { kind: 'stored' };
  }

  /** Whether the expected version is there. */
  async #judge(homes: readonly Home[], operation: StoreIfOperation): Promise<Judgement> {
    const { key, expected } = operation;
    let failure: unknown;
    const failed = new Set<Home>();
    for (const home of homes) {
      if (!home.isWhole) continue;
      try {
        const outcome = await home.shard.call([key], (storage) => storage.storeIf(operation));
        return outcome.kind === 'stored' ? { by: home, failed } : { outcome };
      } catch (error) {
        if (!isOfShard(error)) throw error;
        failure ??= error;
        failed.add(home);
      }
    }
    if (failure !== undefined) throw failure;
    const home = homes.find(({ isMissing, shard }) => !isMissing && !this.#parts.layout.isBlank(shard));
    const view = home === undefined ? ({ kind: 'unknown' } as const) : await this.#view(home, key);
    if (view.kind === 'unknown') return { by: undefined, failed };
    const current = this.#live(view.entry);
    if ((current?.version ?? 'absent') === expected) return { by: undefined, failed };
    return { outcome: { kind: 'mismatch', current } };
  }

  /** After it was judged: on the home itself where that is certain, as a hint where it is not, or where it has just failed and would cost as much time again. */
  async #giveTo(group: string, home: Home, content: HintContent, hasFailed: boolean): Promise<'stored' | 'full'> {
    const { shard, isWhole, isMissing, hints } = home;
    const { key, entry } = content;
    const isBlank = this.#parts.layout.isBlank(shard);
    if (shard.isUp && hints.length === 0 && !hasFailed) {
      try {
        if (isWhole) return await shard.call([key], (storage) => storage.store(key, entry));
        if (isMissing || isBlank) {
          await this.#settler.join(shard, key, entry);
          return 'stored';
        }
      } catch (error) {
        if (!isOfShard(error)) throw error;
        // It fails, though its circuit is closed yet: what it missed comes home later.
      }
    }
    // Where something is out of reach it was not judged: what is known of it stays in.
    const whole = isMissing ? await this.#settler.withKnownHint(home, content) : content;
    return this.#settler.writeHint(group, home, whole);
  }

  /** For writes without a condition: no home may have something out of reach that would be ordered after them. */
  async #writeHard<T>(
    group: string,
    content: HintContent,
    onShard: (home: Home) => Promise<T>,
    beforeHint: (home: Home) => Promise<void> = async () => undefined,
  ): Promise<readonly (T | 'full')[]> {
    const { homes, leftBehind } = await this.#settler.settle(group);
    if ([...homes, ...leftBehind].some(({ isMissing }) => isMissing)) throw this.#outOfReach(homes);
    // What lies there would come back one day.
    for (const former of leftBehind) {
      if ((await this.#settler.writeHint(group, former, removal(content.key))) === 'full') return ['full'];
    }
    const outcomes: (T | 'full')[] = [];
    for (const home of homes) {
      const { shard } = home;
      if (shard.isUp && home.hints.length === 0) {
        try {
          outcomes.push(await onShard(home));
          continue;
        } catch (error) {
          // One copy may fail where another holds; alone, a home that is still asked has the last word.
          if (!isOfShard(error) || (shard.isUp && homes.length === 1)) throw error;
        }
      }
      await beforeHint(home);
      if ((await this.#settler.writeHint(group, home, content)) === 'full') outcomes.push('full');
    }
    return outcomes;
  }

  /** A key at a home that is not whole, nothing of which is out of reach: what the shard holds, if it can be asked, and the hint for it over that. */
  async #view({ shard, hints }: Home, key: Uint8Array): Promise<View> {
    const hint = hints.find((each) => bytesEqual(each.key, key));
    const content = hint && (await this.#settler.readHint(hint));
    if (content !== undefined && content.kind !== 'joined') {
      return { kind: 'known', entry: content.kind === 'removed' ? undefined : content.entry };
    }
    if (!shard.isUp) return content === undefined ? { kind: 'unknown' } : { kind: 'known', entry: content.entry };
    const held = await shard.call([key], (storage) => storage.retrieve(key));
    return { kind: 'known', entry: this.#over(key, held, content) };
  }

  async #scanView(group: string, home: Home, range: StoreScan): Promise<readonly StoredEntry[]> {
    const held = home.shard.isUp ? await this.#settler.entriesOn(home.shard, group) : [];
    const entries = new Map<string, StoredEntry>(held.map((entry) => [toByteText(entry.key), entry]));
    for (const hint of home.hints) {
      const content = await this.#settler.readHint(hint);
      if (content === undefined) continue;
      const { key } = content;
      const entry = this.#live(this.#over(key, entries.get(toByteText(key)), content));
      if (entry === undefined) entries.delete(toByteText(key));
      else entries.set(toByteText(key), { ...entry, key });
    }
    return [...entries.values()]
      .filter(({ key }) => inRange(key, range))
      .sort((a, b) => compareBytes(a.key, b.key))
      .slice(0, Math.max(0, range.limit));
  }

  /** A hint over what a shard holds. */
  #over(key: Uint8Array, held: StorageEntry | undefined, content: HintContent | undefined): StorageEntry | undefined {
    if (content === undefined) return held;
    if (content.kind === 'removed') return undefined;
    if (content.kind === 'replaced' || held === undefined) return content.entry;
    return withOwnVersion(held, this.#parts.merge(key, held, content.entry));
  }

  #live(entry: StorageEntry | undefined): StorageEntry | undefined {
    return entry !== undefined && entry.expiresAt > this.#parts.clock.now() ? entry : undefined;
  }

  #outOfReach(homes: readonly Home[]): NautilusError {
    const down = homes.find(({ shard }) => !shard.isUp);
    if (down !== undefined) return down.shard.down();
    const name = homes[0]?.shard.name ?? '';
    return new NautilusError(
      'SHARD_DOWN',
      `a write for the storage ${name} waits on one that is down: "nautilus storage status" shows which`,
      { details: { shard: name } },
    );
  }
}
