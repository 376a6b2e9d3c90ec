/**
 * What a ring does by itself while it serves: brings hints home, moves what has another home now, has copies agree again. A page at a time with a
 * pause between, woken by whatever makes work, tried again while some is left that could be done.
 */
import { type Clock, type Observer, type Random, sleep, type Timer } from '../../core/index.ts';
import { toByteText } from '../byte-text.ts';
import { isOfShard } from './group-settler.ts';
import { isReserved } from './hint.ts';
import { groupOf } from './key-group.ts';
import type { RingParts } from './ring-parts.ts';
import type { RingStorage } from './ring-storage.ts';
import type { Shard } from './shard.ts';

export interface RingWorkComponents {
  readonly ring: Pick<RingParts, 'layout' | 'hints' | 'notes'>;
  readonly storage: RingStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** Every shard has been swept: there is nothing left where it was. */
  onMoved(): Promise<void>;
  /** To shards that lack the last change of the ring. @returns whether all have it */
  writeDocuments(): Promise<boolean>;
}

const PAGE = 256;
const AT_ONCE = 16;
const PAUSE_MS = 1;
const RETRY_MS = 1_000;
const EVERY_GROUP = '\uffff';
const MAX_DIFFERING = 65_536;

export class RingWork {
  readonly #components: RingWorkComponents;
  readonly #stopping = new AbortController();
  // BOUNDED: MAX_DIFFERING; what is beyond is found by the next scan.
  readonly #differing = new Map<string, Uint8Array>();
  // BOUNDED: by the shards. Those nothing has to leave any more.
  readonly #swept = new Set<string>();
  #isWanted = false;
  #loop: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(components: RingWorkComponents) {
    this.#components = components;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (this.#stopping.signal.aborted) return;
    this.#loop ??= this.#work().finally(() => {
      this.#loop = undefined;
    });
  }

  differs(key: Uint8Array): void {
    if (this.#differing.size >= MAX_DIFFERING) return;
    this.#differing.set(toByteText(key), key.slice());
    this.wake();
  }

  /** Shares have changed. */
  movesBegin(): void {
    this.#swept.clear();
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#loop;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    // Begins in a turn of its own: who wakes it is in the middle of something.
    await null;
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false;
      try {
        const isWritten = await this.#components.writeDocuments();
        const isDone = [
          isWritten,
          await this.#bringHome(),
          await this.#mend(),
          await this.#refill(),
          await this.#move(),
        ];
        if (isDone.includes(false)) this.later();
      } catch (error) {
        if (!signal.aborted && !isOfShard(error)) throw error;
        this.later();
      }
    }
  }

  /** As `wake`, in a while: what could not be done may be possible then. */
  later(): void {
    if (this.#timer !== undefined || this.#stopping.signal.aborted) return;
    const { clock, random } = this.#components;
    this.#timer = clock.setTimer(RETRY_MS * (0.5 + random.next()), () => {
      this.#timer = undefined;
      this.wake();
    });
  }

  /** @returns false: some could not be brought home that it should have been possible to */
  async #bringHome(): Promise<boolean> {
    const { ring, storage } = this.#components;
    const { hints, layout } = ring;
    let isDone = true;
    let from = '';
    while (hints.size > 0) {
      const groups = hints.groups(from, PAGE);
      if (groups.length === 0) break;
      const canGo = (group: string) =>
        hints.of(group).some(({ holder, target, isDoubtful }) => {
          return layout.shard(holder).isUp && (isDoubtful || layout.shard(target).isUp);
        });
      await this.#each(groups.filter(canGo), (group) => storage.inGroup(group, () => storage.settler.settle(group)));
      isDone &&= !groups.some(canGo);
      from = `${groups.at(-1)}\0`;
      if (groups.length < PAGE) break;
      await this.#pause();
    }
    await this.#forgetNotes();
    return isDone;
  }

  async #forgetNotes(): Promise<void> {
    const { layout, hints, notes } = this.#components.ring;
    for (const [holder, shard] of layout.shards) {
      if (!layout.isMet(shard)) continue;
      for (const target of layout.shards.keys()) {
        const isOver = () => hints.count(holder, target) === 0;
        if (notes.isHard(holder, target) !== undefined && isOver()) await notes.forget(holder, target, isOver);
      }
    }
  }

  async #mend(): Promise<boolean> {
    const { storage } = this.#components;
    let isDone = true;
    await this.#each([...this.#differing], async ([text, key]) => {
      const group = groupOf(key);
      try {
        await storage.inGroup(group, () => storage.access.mend(group, key));
        this.#differing.delete(text);
      } catch (error) {
        if (!isOfShard(error)) throw error;
        isDone = false;
      }
    });
    return isDone;
  }

  /** A shard that came back empty is given what the other copies have. */
  async #refill(): Promise<boolean> {
    const { ring, storage } = this.#components;
    const { layout } = ring;
    const blank = [...layout.shards.values()].filter((shard) => layout.isBlank(shard));
    if (blank.length === 0) return true;
    const others = [...layout.shards.values()].filter((shard) => !layout.isBlank(shard));
    if (!others.every(({ isUp }) => isUp) || !blank.every(({ isUp }) => isUp)) return false;
    for (const shard of others) {
      await this.#walk(shard, async (groups) => {
        const theirs = groups.filter((group) => layout.homes(group).some((home) => blank.includes(home)));
        await this.#each(theirs, (group) =>
          storage.inGroup(group, async () => {
            for (const { key } of await storage.settler.entriesOn(shard, group)) await storage.access.mend(group, key);
          }),
        );
        return true;
      });
    }
    for (const shard of blank) layout.setBlank(shard, false);
    return true;
  }

  async #move(): Promise<boolean> {
    const { ring, storage, onMoved } = this.#components;
    const { layout, hints } = ring;
    if (!layout.isMoving) return true;
    let isDone = true;
    for (const shard of layout.formerShards()) {
      if (this.#swept.has(shard.name)) continue;
      if (!shard.isUp) {
        isDone = false;
        continue;
      }
      const isSwept = await this.#walk(shard, async (groups) => {
        const moving = groups.filter((group) => layout.moveOf(group)?.sources.includes(shard) === true);
        let hasLeft = true;
        await this.#each(moving, async (group) => {
          const isOff = await storage.inGroup(group, () => storage.settler.moveOff(group, shard));
          hasLeft &&= isOff;
        });
        const last = groups.at(-1);
        if (hasLeft && last !== undefined) layout.sweptUpTo(shard, last);
        return hasLeft;
      });
      if (isSwept) {
        layout.sweptUpTo(shard, EVERY_GROUP);
        this.#swept.add(shard.name);
      }
      isDone &&= isSwept;
    }
    const isLeft = layout.withoutShare().every(({ name }) => hints.heldBy(name) + hints.waitingFor(name) === 0);
    if (!isDone || !isLeft) return false;
    await onMoved();
    return true;
  }

  /** Every group on a shard, in order, a page at a time, until `work` says false. */
  async #walk(shard: Shard, work: (groups: readonly string[]) => Promise<boolean>): Promise<boolean> {
    let after: Uint8Array | undefined;
    for (;;) {
      const from = after;
      const page = await shard.call([], (storage) =>
        storage.scan({ limit: PAGE, ...(from !== undefined && { after: from }) }),
      );
      const groups = new Set(page.filter(({ key }) => !isReserved(key)).map(({ key }) => groupOf(key)));
      if (!(await work([...groups]))) return false;
      if (page.length < PAGE) return true;
      after = page.at(-1)!.key;
      await this.#pause();
    }
  }

  /** Some at once; none is begun any more once the ring closes. */
  async #each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
    for (let from = 0; from < items.length; from += AT_ONCE) {
      this.#stopping.signal.throwIfAborted();
      await Promise.all(items.slice(from, from + AT_ONCE).map(work));
    }
  }

  /** Others have their turn. */
  #pause(): Promise<void> {
    return sleep(this.#components.clock, PAUSE_MS, this.#stopping.signal);
  }
}
