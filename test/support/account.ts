/**
 * The books of a simulated world: which versions were acknowledged, and which copies each node has said to hold. It hears of every change from
 * the stores themselves, so a check after every event costs next to nothing where nothing changed. Not here: what readers are told (reader-book.ts).
 */
import {
  type CellChange,
  cellId,
  compareVersions,
  floorUntil,
  isLive,
  type Key,
  type RecordHeader,
  toHex,
} from '../../src/records/index.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';

/** What orders the versions one publisher makes of a record: no two of its values share a seq. */
export interface Version {
  readonly seq: number;
  readonly deleted: boolean;
  readonly expiresAt: number;
}

export interface Acknowledged {
  readonly key: Key;
  readonly cell: string;
  readonly version: Version;
  /** Nodes that have held this version or a newer one and still answer for it, and those that hold it. */
  readonly ever: Set<number>;
  readonly now: Set<number>;
  /** A holder has lost its disk since: fewer than a quorum may be left. */
  hasLostDisk: boolean;
}

/** Clocks of a world are at most so far apart, ms; what is that close to being forgotten may be. */
export const CLOCK_MARGIN_MS = 60_000;

export class Account {
  readonly #world: World;
  // BOUNDED: by the cells of the test. The newest acknowledged version of each.
  readonly #acknowledged = new Map<string, Acknowledged>();
  // BOUNDED: by the nodes of the world and the cells of the test. What a node has on its disk, by its own account.
  readonly #copies = new Map<number, Map<string, RecordHeader>>();
  #suspects = new Set<string>();
  #broken: string | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** To be called for every life of a node, right after its start. */
  async follow({ number, life }: SimulatedNode): Promise<void> {
    const { registry } = life;
    if (registry === undefined) return;
    const before = this.copiesOf(number);
    const copies = new Map<string, RecordHeader>();
    this.#copies.set(number, copies);
    registry.subscribe((change) => this.#onChange(number, copies, change));
    for await (const { header } of registry.cells()) this.#onChange(number, copies, { kind: 'held', header });
    for (const [cell, header] of before) {
      const found = copies.get(cell);
      if (found !== undefined && compareVersions(found, header) >= 0) continue;
      if (floorUntil(header, this.#world.constants) > life.clock.now() + CLOCK_MARGIN_MS) {
        this.#break(`node ${number} has come back without "${header.key.text}", which it had on its disk`);
      }
    }
  }

  /** A node got another disk: nobody expects anything of it. */
  wiped(number: number): void {
    this.#copies.delete(number);
    for (const entry of this.#acknowledged.values()) {
      entry.hasLostDisk ||= entry.now.has(number);
      entry.ever.delete(number);
      entry.now.delete(number);
    }
  }

  /** A put, delete or renewal was acknowledged. */
  acknowledged(key: Key, publisher: Uint8Array, version: Version): void {
    const cell = toHex(cellId({ key, publisher }));
    const former = this.#acknowledged.get(cell);
    if (former !== undefined && compareInTime(former.version, version) >= 0) return;
    const holders = this.#world.nodes
      .map(({ number }) => number)
      .filter((number) => this.#holds(number, cell, version));
    const entry = { key, cell, version, ever: new Set(holders), now: new Set(holders), hasLostDisk: false };
    this.#acknowledged.set(cell, entry);
    this.#suspects.add(cell);
  }

  /** The newest acknowledged version of every cell of a key. */
  of(key: Key): readonly Acknowledged[] {
    return [...this.#acknowledged.values()].filter((entry) => entry.key.text === key.text);
  }

  /** A later version of the cell was acknowledged, and is dead. */
  isOvertaken(cell: string, version: Version, isDead: (later: Version) => boolean): boolean {
    const entry = this.#acknowledged.get(cell);
    return entry !== undefined && compareInTime(entry.version, version) > 0 && isDead(entry.version);
  }

  /** What a node has said to hold, by cell. */
  copiesOf(number: number): ReadonlyMap<string, RecordHeader> {
    return this.#copies.get(number) ?? new Map();
  }

  /** Somebody who is up has it. */
  isUp({ now }: Acknowledged): boolean {
    return this.#isAnyUp(now);
  }

  /** What a node may count as a live record at `at` of its own clock. */
  liveCopies(number: number, at: number): number {
    let live = 0;
    for (const header of this.copiesOf(number).values()) if (isLive(header, at)) live++;
    return live;
  }

  /** @throws Error naming the promise that was broken. To be called after every event. */
  check(): void {
    if (this.#broken !== undefined) throw new Error(this.#broken);
    if (this.#suspects.size === 0) return;
    for (const cell of this.#suspects) {
      const entry = this.#acknowledged.get(cell)!;
      if (this.#isAnyUp(entry.ever) && !this.#isAnyUp(entry.now)) {
        throw new Error(`nobody who is up holds "${entry.key.text}" any more, and somebody who is up has held it`);
      }
    }
    this.#suspects = new Set();
  }

  #isAnyUp(numbers: ReadonlySet<number>): boolean {
    for (const number of numbers) if (this.#world.nodes[number]!.isAlive) return true;
    return false;
  }

  #holds(number: number, cell: string, version: Version): boolean {
    const header = this.copiesOf(number).get(cell);
    return header !== undefined && compareInTime(header, version) >= 0;
  }

  #onChange(number: number, copies: Map<string, RecordHeader>, change: CellChange): void {
    if (change.kind === 'gone') {
      this.#onGone(number, copies, toHex(change.cellId));
      return;
    }
    const { header } = change;
    const cell = toHex(cellId(header));
    const former = copies.get(cell);
    if (former !== undefined && compareVersions(former, header) > 0) {
      this.#break(`node ${number} went back on "${header.key.text}"`);
    }
    copies.set(cell, header);
    const entry = this.#acknowledged.get(cell);
    if (entry === undefined || compareInTime(header, entry.version) < 0) return;
    entry.ever.add(number);
    entry.now.add(number);
  }

  /** Who drops a copy while somebody else has it has passed on what it answered for. */
  #onGone(number: number, copies: Map<string, RecordHeader>, cell: string): void {
    const header = copies.get(cell);
    copies.delete(cell);
    const entry = this.#acknowledged.get(cell);
    if (header === undefined || entry === undefined || !entry.now.delete(number)) return;
    const now = this.#world.node(number).life.clock.now();
    const isForgotten = floorUntil(header, this.#world.constants) <= now + CLOCK_MARGIN_MS;
    if (isForgotten || this.#isAnyUp(entry.now)) entry.ever.delete(number);
    else this.#suspects.add(cell);
  }

  #break(what: string): void {
    this.#broken ??= what;
  }
}

/** > 0 when `a` was made after `b`. */
export function compareInTime(a: Version, b: Version): number {
  return a.seq - b.seq || Number(a.deleted) - Number(b.deleted) || a.expiresAt - b.expiresAt;
}
