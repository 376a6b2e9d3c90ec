/**
 * A ring, with what only a ring can do beside being a storage: let shards in (again), drain one, tell how it stands. Keeps the document of the ring
 * in every shard. Not here: opening (open-ring.ts), serving (ring-storage.ts).
 */
import { type Clock, type Load, NautilusError, type Observer, type Random } from '../../core/index.ts';
import { compareBytes } from '../../records/index.ts';
import type { RegistryStorage } from '../storage.ts';
import type { CircuitState } from './circuit-breaker.ts';
import { isOfShard } from './group-settler.ts';
import { DOCUMENT_KEY, decodeHint, HINT_PREFIX, tagOfHintKey } from './hint.ts';
import type { HintIndex } from './hint-index.ts';
import type { GivenShard } from './plan-ring.ts';
import { decodeDocument, encodeDocument, isDrained, type RingDocument, toRing } from './ring-document.ts';
import type { RingLayout } from './ring-layout.ts';
import type { RingNotes } from './ring-notes.ts';
import type { RingStatus, ShardStatus } from './ring-status.ts';
import { RingStorage } from './ring-storage.ts';
import { RingWork } from './ring-work.ts';
import type { Shard } from './shard.ts';

export interface RingComponents {
  readonly layout: RingLayout;
  readonly hints: HintIndex;
  readonly notes: RingNotes;
  readonly clock: Clock;
  readonly random: Random;
  /** Told `shard-…`, `hint-…` and `warning`. */
  readonly observer: Observer;
}

const PAGE = 256;

export class Ring {
  readonly #components: RingComponents;
  readonly #storage: RingStorage;
  readonly #work: RingWork;
  #document: RingDocument;
  /** Of the last change that was tried: it may be in a shard though it failed. */
  #lastEpoch: number;
  // BOUNDED: by the shards. Those that are up and do not have the document yet.
  readonly #outdated = new Set<Shard>();
  // BOUNDED: by the shards. Those that came back without what only they had.
  readonly #emptied = new Set<Shard>();

  readonly #knowsChanges: boolean;

  /** @param knowsChanges that a change is later than `document` means that it was never made */
  constructor(components: RingComponents, document: RingDocument, knowsChanges: boolean) {
    this.#components = components;
    this.#knowsChanges = knowsChanges;
    this.#document = document;
    this.#lastEpoch = document.epoch;
    this.#storage = new RingStorage(components, {
      onDiffering: (key) => this.#work.differs(key),
      onHint: () => this.#work.later(),
      onClose: () => this.#work.stop(),
    });
    this.#work = new RingWork({
      ...components,
      ring: components,
      storage: this.#storage,
      onMoved: () => this.#moved(),
      writeDocuments: () => this.#writeDocuments(),
    });
  }

  get storage(): RegistryStorage {
    return this.#storage;
  }

  /** How full the parts with a bound are, by name. */
  get loads(): Readonly<Record<string, Load>> {
    return { hints: this.#components.hints.load, ...this.#storage.loads };
  }

  /** Lets in the shards that were opened; the others are tried again. */
  async begin(given: readonly GivenShard[]): Promise<void> {
    const { layout } = this.#components;
    const isNew = given.every(({ opened }) => opened?.document === undefined);
    if (this.#document.former !== null) layout.moveTo(toRing(this.#document), toRing(this.#document.former));
    const failures = new Map(given.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]])));
    for (const [name, shard] of layout.shards) {
      if (failures.has(name)) continue;
      await this.#admit(shard, await shard.open(), true, isNew || this.#isJoining(name));
    }
    for (const [name, shard] of layout.shards) {
      shard.start(
        (storage, isFirst) => this.#admit(shard, storage, isFirst, false),
        (state) => this.#shardChanged(shard, state),
        failures.get(name),
      );
    }
    await this.#components.notes.noteEpoch(this.#document.ringId, this.#document.epoch);
    this.#work.wake();
  }

  async status(): Promise<RingStatus> {
    const { layout } = this.#components;
    const shards = await Promise.all([...layout.shards.values()].map((shard) => this.#statusOf(shard)));
    const { copies, isMoving } = layout;
    return { copies, isMoving, shards, hotKeys: this.#storage.hotKeys.top() };
  }

  /**
   * Moves everything off a shard, in the background, while serving: `status` tells when it is done.
   * @throws NautilusError `CONFIG_INVALID`: no such shard, or the last one; `CONFLICT`: keys are moving already; `SHARD_DOWN`: nobody could say what is on it
   */
  async drain(name: string): Promise<void> {
    const { layout } = this.#components;
    const { members, copies } = this.#document;
    const member = members.find((each) => each.name === name);
    const names = members.map((each) => each.name).join(', ');
    if (member === undefined) throw refused(`there is no storage ${name}; there are ${names}`);
    if (member.weight === 0) return;
    if (members.every((each) => each.weight === 0 || each.name === name)) {
      throw refused(`${name} is the last one: start with another storage beside it first`);
    }
    if (layout.isMoving) {
      throw new NautilusError(
        'CONFLICT',
        'keys are moving already: try again when "nautilus storage status" says they are there',
      );
    }
    if (!layout.shard(name).isUp) throw layout.shard(name).down();
    await this.#change({
      members: members.map((each) => (each.name === name ? { ...each, weight: 0, isDrainAsked: true } : each)),
      former: { copies, members: members.filter(({ weight }) => weight > 0) },
    });
    const { former } = this.#document;
    if (former !== null) await this.#storage.betweenCalls(() => layout.moveTo(toRing(this.#document), toRing(former)));
    this.#work.movesBegin();
  }

  #isJoining(name: string): boolean {
    const { former } = this.#document;
    return former !== null && !former.members.some((member) => member.name === name);
  }

  /** What a shard is asked before it is used: that it belongs here, and what it keeps for others. */
  async #admit(shard: Shard, storage: RegistryStorage, isFirst: boolean, isNew: boolean): Promise<void> {
    const { layout, observer } = this.#components;
    const entry = await storage.retrieve(DOCUMENT_KEY);
    const document = entry && decodeDocument(shard.name, entry);
    if (document !== undefined && document.ringId !== this.#document.ringId) {
      throw new NautilusError('STORAGE_FAILED', `${shard.name} belongs to another ring now: look where its URL leads`);
    }
    if (document !== undefined && document.epoch > this.#lastEpoch && !this.#knowsChanges) {
      throw new NautilusError(
        'STORAGE_FAILED',
        `${shard.name} has seen a later change of the ring: start the node again`,
      );
    }
    this.#lastEpoch = Math.max(this.#lastEpoch, document?.epoch ?? 0);
    if (document === undefined && !isNew) {
      layout.setBlank(shard, layout.copies > 1);
      if (layout.copies === 1) this.#emptied.add(shard);
      if (!isFirst || storage.capabilities.persistent) {
        const message = `${shard.name} has come back empty: what only it had is gone`;
        observer.notify({ type: 'warning', code: 'STORAGE', message });
      }
    }
    if (isFirst) {
      await this.#readHints(shard, storage);
      layout.met(shard);
    }
    this.#outdated.delete(shard);
    if (document?.epoch !== this.#document.epoch || !isFirst) {
      const outcome = await storage.store(DOCUMENT_KEY, encodeDocument(this.#document));
      if (outcome === 'full') throw full(shard.name);
    }
  }

  async #readHints(holder: Shard, storage: RegistryStorage): Promise<void> {
    const { layout, hints, notes } = this.#components;
    const targets = [...layout.shards.values()];
    let after: Uint8Array | undefined;
    for (;;) {
      const page = await storage.scan({ prefix: HINT_PREFIX, limit: PAGE, ...(after !== undefined && { after }) });
      for (const { key, ...entry } of page) {
        const content = decodeHint(entry);
        const target = targets.find(({ tag }) => compareBytes(tag, tagOfHintKey(key)) === 0);
        // One for a shard that is in this ring no more: it was drained, or lost with what it had.
        if (content === undefined || target === undefined) continue;
        const isHard = content.kind !== 'joined';
        hints.add({ key: content.key, target: target.name, holder: holder.name, isHard, isDoubtful: false });
        await notes.note(holder.name, target.name, isHard);
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.key;
    }
  }

  #shardChanged(shard: Shard, state: CircuitState): void {
    if (state !== 'closed') return;
    this.#work.wake();
    this.#storage.tell({ kind: 'returned', part: shard.name, isEmptied: this.#emptied.delete(shard) });
  }

  async #moved(): Promise<void> {
    const { layout, observer } = this.#components;
    const { members, former } = this.#document;
    const drained = members.filter(
      ({ name, weight }) => weight === 0 && former?.members.some((each) => each.name === name),
    );
    await this.#change({ members, former: null });
    layout.moved();
    for (const { name } of drained) observer.notify({ type: 'shard-drained', shard: name });
  }

  /**
   * It is made when one shard has it; the others are told as soon as they can be.
   * @throws what the last of them rejected with: it may have been made nevertheless, as the next start will see
   */
  async #change(change: Pick<RingDocument, 'members' | 'former'>): Promise<void> {
    const { layout, notes } = this.#components;
    this.#lastEpoch++;
    const document = { ...this.#document, ...change, epoch: this.#lastEpoch };
    const shards = [...layout.shards.values()].filter(({ isUp }) => isUp);
    const results = await Promise.allSettled(shards.map((shard) => writeDocument(shard, document)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined && results.every(({ status }) => status === 'rejected')) throw failed.reason;
    results.forEach(({ status }, index) => {
      if (status === 'rejected') this.#outdated.add(shards[index]!);
      else this.#outdated.delete(shards[index]!);
    });
    this.#document = document;
    await notes.noteEpoch(document.ringId, document.epoch);
  }

  async #writeDocuments(): Promise<boolean> {
    let isDone = true;
    for (const shard of this.#outdated) {
      try {
        await writeDocument(shard, this.#document);
        this.#outdated.delete(shard);
      } catch (error) {
        if (!isOfShard(error)) throw error;
        isDone = false;
      }
    }
    return isDone;
  }

  #stateOf(shard: Shard, isBehind: boolean): ShardStatus['state'] {
    if (!shard.isUp) return shard.state === 'half-open' ? 'probing' : 'down';
    const member = this.#document.members.find(({ name }) => name === shard.name);
    if (member?.weight === 0) return isDrained(this.#document, member) ? 'drained' : 'draining';
    return isBehind ? 'returning' : 'up';
  }

  async #statusOf(shard: Shard): Promise<ShardStatus> {
    const { layout, hints } = this.#components;
    const { entries, bytes } = await this.#storage.sizeOf(shard);
    const member = this.#document.members.find(({ name }) => name === shard.name);
    const waiting = hints.waitingFor(shard.name);
    return {
      name: shard.name,
      state: this.#stateOf(shard, waiting > 0 || layout.isBlank(shard)),
      records: entries,
      bytes,
      hints: waiting,
      queueDepth: shard.queueDepth,
      lastError: shard.lastError?.message ?? null,
      lastErrorAt: shard.lastError?.at ?? null,
      weight: member?.weight ?? 0,
      share: layout.share(shard.name),
    };
  }
}

async function writeDocument(shard: Shard, document: RingDocument): Promise<void> {
  const entry = encodeDocument(document);
  const outcome = await shard.call([DOCUMENT_KEY], (storage) => storage.store(DOCUMENT_KEY, entry));
  if (outcome === 'full') throw full(shard.name);
}

function full(name: string): NautilusError {
  return new NautilusError('STORAGE_FAILED', `the storage ${name} is full: give it more room`);
}

function refused(problem: string): NautilusError {
  return new NautilusError('CONFIG_INVALID', `that storage cannot be drained: ${problem}`);
}
