/**
 * A network that falls into two halves for an hour while both are written to, and becomes one again: by rivals under one key, by one publisher
 * whose identity is on both sides, with deletes here and puts there, renewals, and records whose time ends meanwhile. Keeps account of all of it.
 */
import { isNautilusError } from '../../src/core/index.ts';
import { type Contact, compareDistance, NodeId } from '../../src/kademlia/index.ts';
import {
  compareVersions,
  type HeldRecord,
  hashValue,
  isLive,
  type Key,
  parseKey,
  type RecordHeader,
  signRecord,
  toHex,
  utf8Encode,
} from '../../src/records/index.ts';
import type { PutResult } from '../../src/replication/index.ts';
import { type SeededRandom, type SimulatedNode, World, wideAreaLatency } from '../../testnet/simulator/index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TTL_MS = 24 * HOUR;
/** Of records whose time is over while the halves do not hear each other, unless it is extended on one side. */
const SHORT_TTL_MS = 30 * MINUTE;
const SETTLE_MS = 2 * MINUTE;
/** Between what happens on one side and what happens on the other. Clocks are right, so the later one is the newer. */
const APART_MS = 1_000;
const OLD_KINDS = ['rivals', 'twins', 'at-once', 'deleted', 'put-again', 'renewed', 'ending'] as const;
const KEYS_PER_KIND = 6;

type Kind = (typeof OLD_KINDS)[number] | 'first' | 'second';
type Side = 0 | 1;
type Draft = Pick<RecordHeader, 'seq' | 'expiresAt' | 'deleted'> & { readonly value: string };

export interface PartitionOptions {
  readonly seed: string;
  readonly nodes: number;
  /** What the first half sends does not reach the second; the other way stays open. */
  readonly isOneWay?: boolean | undefined;
}

/** What one publisher wrote under one key. */
interface Cell {
  readonly key: Key;
  readonly written: RecordHeader[];
  /** Nothing older may be left in the end. */
  acknowledged: RecordHeader | undefined;
}

export class PartitionedWorld {
  readonly world: World;
  readonly sides: readonly [readonly SimulatedNode[], readonly SimulatedNode[]];
  /** While the halves did not hear each other. */
  readonly writes = { acknowledged: 0, refused: 0 };
  readonly #random: SeededRandom;
  readonly #isOneWay: boolean;
  // BOUNDED: by the keys and writers of the test; by key and publisher.
  readonly #cells = new Map<string, Cell>();

  private constructor(world: World, isOneWay: boolean) {
    this.world = world;
    this.#isOneWay = isOneWay;
    this.#random = world.random.fork('partition');
    const first = new Set(this.#random.sample(world.nodes, world.nodes.length / 2));
    this.sides = [world.nodes.filter((node) => first.has(node)), world.nodes.filter((node) => !first.has(node))];
  }

  /** Joined, with records of every kind but those that are new later, and settled. */
  static async create({ seed, nodes, isOneWay = false }: PartitionOptions): Promise<PartitionedWorld> {
    const world = await World.create({ seed, nodes, conditions: { latency: wideAreaLatency({ seed }) } });
    const partitioned = new PartitionedWorld(world, isOneWay);
    for (const kind of OLD_KINDS) {
      for (let i = 0; i < KEYS_PER_KIND; i++) {
        const ttlMs = kind === 'ending' ? SHORT_TTL_MS : TTL_MS;
        await partitioned.#put(partitioned.#ownerOf(i), keyOf(kind, i), 'before', ttlMs);
      }
    }
    await world.run(SETTLE_MS);
    return partitioned;
  }

  get keys(): readonly Key[] {
    return [...new Map([...this.#cells.values()].map(({ key }) => [key.text, key])).values()];
  }

  /** The hour, with all its writes; the halves hear each other again at its end. */
  async fallApart(): Promise<void> {
    const { world } = this;
    const endsAt = world.clock.monotonic() + HOUR;
    const [first, second] = this.sides.map((side) => side.map(({ number }) => number)) as [number[], number[]];
    if (this.#isOneWay) world.partitionOneWay(first, second);
    else world.partition([first, second]);
    Object.assign(this.writes, { acknowledged: 0, refused: 0 });
    for (let i = 0; i < KEYS_PER_KIND; i++) await this.#write('ending', i);
    const kinds = [...OLD_KINDS.filter((kind) => kind !== 'ending'), 'first', 'second'] as const;
    const works = kinds.flatMap((kind) => Array.from({ length: KEYS_PER_KIND }, (_, i) => () => this.#write(kind, i)));
    const everyMs = (endsAt - world.clock.monotonic() - 5 * MINUTE) / works.length;
    for (const work of this.#random.sample(works, works.length)) {
      const startedAt = world.clock.monotonic();
      await work();
      await world.run(Math.max(0, startedAt + everyMs - world.clock.monotonic()));
    }
    await world.run(Math.max(0, endsAt - world.clock.monotonic()));
    world.heal();
  }

  /**
   * Lets time pass after `fallApart` and looks once a minute whether the halves have become one network.
   * @returns minutes until tables know the true K closest, and until all of those hold the same; undefined: not within `minutes`
   */
  async heal(minutes: number): Promise<{ readonly tables: number | undefined; readonly holders: number | undefined }> {
    let tables: number | undefined;
    let holders: number | undefined;
    for (let minute = 1; minute <= minutes; minute++) {
      await this.world.run(MINUTE);
      if (tables === undefined && this.tableOverlap(10) >= 0.99) tables = minute;
      if (tables !== undefined && holders === undefined && (await this.differences()).length === 0) holders = minute;
    }
    return { tables, holders };
  }

  /** How many of the true K closest of random keys those K know, 0 … 1. Nobody is asked anything. */
  tableOverlap(keys: number): number {
    const { k } = this.world.constants;
    let known = 0;
    let wanted = 0;
    for (let i = 0; i < keys; i++) {
      const target = NodeId.fromBytes(this.#random.bytes(32));
      const truth = this.world.trueClosest(target);
      for (const node of truth) {
        const seen = [...node.kademlia.closest(target, k), node.self];
        seen.sort((a, b) => compareDistance(target, a.id, b.id));
        const nearest = new Set(seen.slice(0, k).map(({ id }) => id.hex));
        known += truth.filter(({ self }) => nearest.has(self.id.hex)).length;
        wanted += truth.length;
      }
    }
    return known / wanted;
  }

  /**
   * What is wrong with what the nodes hold, a line each: the version of a cell that won must have been written, be no older than what was
   * acknowledged, and be what every one of the K closest holds. `everywhere`: and nobody else holds anything else.
   */
  async differences({ everywhere = false } = {}): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const { key, written, acknowledged } of this.#cells.values()) {
      const publisher = toHex(written[0]!.publisher);
      const holders = new Set(this.world.trueClosest(NodeId.fromBytes(key.id)));
      const copies = new Map<SimulatedNode, HeldRecord | undefined>();
      for (const node of this.world.running) {
        const held = (await node.life.registry?.read(key.id)) ?? [];
        const copy = held.find(({ header }) => toHex(header.publisher) === publisher);
        if (copy !== undefined || holders.has(node)) copies.set(node, copy);
      }
      const winner = [...copies.values()].reduce<RecordHeader | undefined>(
        (newest, copy) => (copy === undefined ? newest : later(newest, copy.header)),
        undefined,
      );
      if (winner === undefined) {
        if (acknowledged !== undefined) wrong.push(`${key.text}: nobody has anything`);
        continue;
      }
      const isWritten = written.some((header) => compareVersions(header, winner) === 0);
      const isOlder = acknowledged !== undefined && compareVersions(winner, acknowledged) < 0;
      if (!isWritten || isOlder) wrong.push(`${key.text}: ${show(winner)} won over ${show(acknowledged)}`);
      for (const [node, copy] of copies) {
        if (!everywhere && !holders.has(node)) continue;
        const isSame = copy !== undefined && compareVersions(copy.header, winner) === 0;
        const isWhole = copy?.value !== undefined || !isLive(winner, this.world.clock.now());
        if (!isSame || !isWhole) {
          wrong.push(`${key.text}: node ${node.number} has ${show(copy?.header)} instead of ${show(winner)}`);
        }
      }
    }
    return wrong;
  }

  /** Every key through some nodes of each side; what was wrong, a line each. */
  async wrongGets(readersPerSide: number): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const key of this.keys) {
      const expected = this.#expectedOf(key);
      for (const node of this.sides.flatMap((side) => this.#random.sample(side, readersPerSide))) {
        const seen = await this.world.do(() => this.#get(node, key));
        if (seen !== expected) wrong.push(`${key.text} at ${node.number}: ${seen} instead of ${expected}`);
      }
    }
    return wrong;
  }

  async #get(node: SimulatedNode, key: Key): Promise<string> {
    try {
      const { records, partial } = await node.replication.get({ key });
      return `${records[0]?.seq}${partial ? ' partial' : ''}`;
    } catch (error) {
      if (isNautilusError(error)) return error.code;
      throw error;
    }
  }

  /** By the account alone: the newest of what was acknowledged, over all publishers. */
  #expectedOf(key: Key): string {
    const now = this.world.clock.now();
    const newest = [...this.#cells.values()]
      .filter((cell) => cell.key.text === key.text)
      .flatMap(({ acknowledged }) =>
        acknowledged !== undefined && isLive(acknowledged, now) ? [acknowledged.seq] : [],
      );
    return newest.length === 0 ? 'NOT_FOUND' : String(Math.max(...newest));
  }

  async #write(kind: Kind, i: number): Promise<void> {
    const key = keyOf(kind, i);
    const owner = this.#ownerOf(i);
    const here = (i % 2) as Side;
    const there = (1 - here) as Side;
    const member = (side: Side) => this.#random.pick(this.sides[side]);
    const publish = (side: Side, draft: Draft) => this.#publishAs(owner, member(side), key, draft);
    switch (kind) {
      case 'rivals':
        await this.#put(member(0), key, 'of the first half');
        return this.#put(member(1), key, 'of the second half');
      case 'twins':
        await publish(here, this.#draft('older'));
        await this.world.run(APART_MS);
        return publish(there, this.#draft('newer'));
      case 'at-once': {
        const draft = this.#draft('here');
        await publish(here, draft);
        return publish(there, { ...draft, value: 'there' });
      }
      case 'deleted':
        await publish(here, this.#draft('older'));
        await this.world.run(APART_MS);
        return publish(there, { ...this.#draft(''), deleted: true });
      case 'put-again':
        await publish(here, { ...this.#draft(''), deleted: true });
        await this.world.run(APART_MS);
        return publish(there, this.#draft('newer'));
      case 'renewed':
      case 'ending': {
        const { seq } = this.#cells.get(`${key.text} ${toHex(owner.signer.publicKey)}`)!.written[0]!;
        return publish(here, { ...this.#draft('before'), seq, expiresAt: this.world.clock.now() + 2 * TTL_MS });
      }
      case 'first':
        return this.#put(member(0), key, 'new');
      case 'second':
        return this.#put(member(1), key, 'new');
    }
  }

  #draft(value: string): Draft {
    const now = this.world.clock.now();
    return { value, seq: Math.floor(now * 1_000), expiresAt: Math.floor(now + TTL_MS), deleted: false };
  }

  #ownerOf(i: number): SimulatedNode {
    return this.sides[((i >> 1) % 2) as Side][i]!;
  }

  async #put(node: SimulatedNode, key: Key, value: string, ttlMs = TTL_MS): Promise<void> {
    const bytes = utf8Encode(value);
    const written = async (): Promise<{ readonly result: PutResult | undefined; readonly isFinished: boolean }> => {
      try {
        return { result: await node.replication.put({ key, value: bytes, ttlMs }), isFinished: true };
      } catch (error) {
        if (!isNautilusError(error)) throw error;
        return { result: error.details.result as PutResult | undefined, isFinished: false };
      }
    };
    const { result, isFinished } = await this.world.do(written);
    if (result === undefined) {
      this.writes.refused++;
      return;
    }
    const { seq, expiresAt } = result;
    const { publicKey: publisher } = node.signer;
    const valueHash = hashValue(bytes);
    this.#note({ key, publisher, seq, expiresAt, deleted: false, valueHash, signature: valueHash }, isFinished);
  }

  /** By a publisher whose identity is on more than one machine: signed with it, and stored on the holders that `node` finds. */
  async #publishAs(owner: SimulatedNode, node: SimulatedNode, key: Key, draft: Draft): Promise<void> {
    const { k, network } = this.world.constants;
    const record = await signRecord(owner.signer, network, { ...draft, key, value: utf8Encode(draft.value) });
    const target = NodeId.fromBytes(key.id);
    const isFinished = await this.world.do(async () => {
      const { closest, silent } = await node.kademlia.findClosest(target);
      const answers = await Promise.all(closest.map((holder) => this.#store(node, holder, record)));
      const wanted = Math.floor(Math.min(k, closest.length + silent.length) / 2) + 1;
      return answers.filter((isStored) => isStored).length >= wanted;
    });
    this.#note(record.header, isFinished);
  }

  async #store(node: SimulatedNode, holder: Contact, record: HeldRecord): Promise<boolean> {
    try {
      const { outcome } = await node.kademlia.request(holder, { type: 'STORE', record });
      return outcome.kind === 'stored';
    } catch (error) {
      if (isNautilusError(error)) return false;
      throw error;
    }
  }

  #note(header: RecordHeader, isAcknowledged: boolean): void {
    const name = `${header.key.text} ${toHex(header.publisher)}`;
    const cell = this.#cells.get(name) ?? { key: header.key, written: [], acknowledged: undefined };
    this.#cells.set(name, cell);
    cell.written.push(header);
    if (isAcknowledged) cell.acknowledged = later(cell.acknowledged, header);
    this.writes[isAcknowledged ? 'acknowledged' : 'refused']++;
  }
}

function keyOf(kind: Kind, i: number): Key {
  return parseKey(`${kind}/${i}`);
}

function later(a: RecordHeader | undefined, b: RecordHeader): RecordHeader {
  return a === undefined || compareVersions(b, a) > 0 ? b : a;
}

function show(header: RecordHeader | undefined): string {
  if (header === undefined) return 'nothing';
  const { seq, deleted, expiresAt, valueHash } = header;
  return `${deleted ? 'tombstone' : 'record'} ${seq} until ${expiresAt} (${toHex(valueHash).slice(0, 8)})`;
}
