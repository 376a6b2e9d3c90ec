/**
 * What keeping the same records whole would cost others, and what it must cost anybody, in the very run that is measured: the records with their
 * sizes on the wire, by the real codec, and who is among the K nearest, looked at once a minute by an oracle that knows everybody. Not here:
 * what it did cost (traffic-shares.ts).
 */
import type { Timer } from '../../src/core/index.ts';
import { encodeRequest, encodeResponse } from '../../src/kademlia/index.ts';
import { type HeldRecord, hashValue, type Key } from '../../src/records/index.ts';
import type { NearestNodes } from './nearest-nodes.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface RestoreCost {
  /** Requests, and bytes of those with their answers. */
  readonly stores: number;
  readonly bytes: number;
  /** Each needs the K nearest first: not among the bytes. */
  readonly lookups: number;
}

export interface YardstickFigures {
  /** Live records, each as many hours as it was there. */
  readonly recordHours: number;
  /** Every holder stores every record on all others, once an hour. */
  readonly byEveryHolder: RestoreCost;
  /** One of them does, the others have seen it (Kademlia paper §2.5). */
  readonly byOneHolder: RestoreCost;
  /** Somebody is among the K nearest for a minute and does not have the newest version: each such record has to get there once. */
  readonly necessary: { readonly moves: number; readonly bytes: number };
  /** Pairs of nodes that hold a record together, each as many rounds (ten minutes) as it did. */
  readonly pairRounds: number;
}

/** The newest acknowledged version of a record. */
interface Tracked {
  readonly keyId: Uint8Array;
  seq: number;
  expiresAt: number;
  storeBytes: number;
  moveBytes: number;
  // BOUNDED: by the nodes that were holders within KEPT_MS, or are down. By node number.
  readonly copies: Map<number, { seq: number; neededAt: number }>;
}

export interface WrittenRecord {
  readonly key: Key;
  /** 32 bytes. */
  readonly publisher: Uint8Array;
  readonly seq: number;
  /** ms since the epoch. */
  readonly expiresAt: number;
  readonly value: Uint8Array;
}

const LOOK_MS = 60_000;
/** Settled holders compare once in so many looks. */
const LOOKS_IN_ROUND = 10;
/** Above every node number. */
const PAIR = 2 ** 24;
const HOUR_MS = 3_600_000;
/** Who is no holder any more keeps its copy that long, as a node of ours does: two rounds. A disk that is down keeps it for ever. */
const KEPT_MS = 1_200_000;
const SIGNATURE = new Uint8Array(64);

export class RepairYardstick {
  readonly #clock: VirtualClock;
  readonly #nearest: NearestNodes;
  readonly #k: number;
  // BOUNDED: by the records of the scenario. By the text of the key: one publisher each.
  readonly #records = new Map<string, Tracked>();
  #timer: Timer | undefined;
  #lookedAt = 0;
  #recordHours = 0;
  #looks = 0;
  #pairRounds = 0;
  #moves = 0;
  #moveBytes = 0;
  readonly #everyHolder = { stores: 0, bytes: 0, lookups: 0 };
  readonly #oneHolder = { stores: 0, bytes: 0, lookups: 0 };

  constructor(clock: VirtualClock, nearest: NearestNodes, k: number) {
    this.#clock = clock;
    this.#nearest = nearest;
    this.#k = k;
  }

  start(): void {
    this.#lookedAt = this.#clock.monotonic();
    this.#arm();
  }

  /** Looks a last time. */
  stop(): void {
    this.#timer?.cancel();
    this.#look();
  }

  /** The put itself brought it to its holders: whoever is one now has it. */
  wrote(written: WrittenRecord): void {
    const { key, publisher, seq, expiresAt, value } = written;
    const former = this.#records.get(key.text);
    if (former !== undefined && former.seq > seq) return;
    const header = {
      key,
      publisher,
      seq,
      expiresAt,
      deleted: false,
      valueHash: hashValue(value),
      signature: SIGNATURE,
    };
    const record: HeldRecord = { header, value };
    const tracked = former ?? { keyId: key.id, seq, expiresAt, storeBytes: 0, moveBytes: 0, copies: new Map() };
    const neededAt = this.#clock.monotonic();
    Object.assign(tracked, { seq, expiresAt, storeBytes: storeBytes(record), moveBytes: moveBytes(record) });
    for (const { number } of this.#holdersOf(tracked)) tracked.copies.set(number, { seq, neededAt });
    this.#records.set(key.text, tracked);
  }

  deleted(key: Key): void {
    this.#records.delete(key.text);
  }

  wiped(node: number): void {
    for (const { copies } of this.#records.values()) copies.delete(node);
  }

  get figures(): YardstickFigures {
    return {
      recordHours: this.#recordHours,
      byEveryHolder: { ...this.#everyHolder },
      byOneHolder: { ...this.#oneHolder },
      necessary: { moves: this.#moves, bytes: this.#moveBytes },
      pairRounds: this.#pairRounds,
    };
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      this.#arm();
      this.#look();
    });
  }

  #look(): void {
    const monotonic = this.#clock.monotonic();
    const hours = (monotonic - this.#lookedAt) / HOUR_MS;
    this.#lookedAt = monotonic;
    const pairs = this.#looks++ % LOOKS_IN_ROUND === 0 ? new Set<number>() : undefined;
    for (const record of this.#records.values()) {
      if (record.expiresAt <= this.#clock.now()) continue;
      const holders = this.#holdersOf(record);
      this.#recordHours += hours;
      const stores = Math.max(0, holders.length - 1) * hours;
      add(this.#everyHolder, stores * holders.length, record.storeBytes, holders.length * hours);
      add(this.#oneHolder, stores, record.storeBytes, hours);
      for (const { number } of holders) this.#supply(record, number, monotonic);
      if (record.copies.size > holders.length) this.#forget(record, monotonic);
      if (pairs !== undefined) addPairs(pairs, holders);
    }
    this.#pairRounds += pairs?.size ?? 0;
  }

  #supply(record: Tracked, node: number, now: number): void {
    const copy = record.copies.get(node);
    if (copy === undefined) record.copies.set(node, { seq: record.seq, neededAt: now });
    else copy.neededAt = now;
    if (copy !== undefined && copy.seq >= record.seq) return;
    if (copy !== undefined) copy.seq = record.seq;
    this.#moves++;
    this.#moveBytes += record.moveBytes;
  }

  #forget({ keyId, copies }: Tracked, now: number): void {
    const nodes = this.#nearest.of(keyId);
    for (const [number, { neededAt }] of copies) {
      if (now - neededAt <= KEPT_MS) continue;
      if (nodes.find((node) => node.number === number)?.isAlive) copies.delete(number);
    }
  }

  /** The K nearest that run. */
  #holdersOf({ keyId }: Tracked): readonly SimulatedNode[] {
    const holders: SimulatedNode[] = [];
    for (const node of this.#nearest.of(keyId)) {
      if (!node.isAlive) continue;
      holders.push(node);
      if (holders.length === this.#k) break;
    }
    return holders;
  }
}

function addPairs(pairs: Set<number>, holders: readonly SimulatedNode[]): void {
  for (const { number: a } of holders) {
    for (const { number: b } of holders) if (a < b) pairs.add(a * PAIR + b);
  }
}

function add(cost: { stores: number; bytes: number; lookups: number }, stores: number, bytes: number, lookups: number) {
  cost.stores += stores;
  cost.bytes += stores * bytes;
  cost.lookups += lookups;
}

/** The request and its answer. */
function storeBytes(record: HeldRecord): number {
  const { expiresAt, seq } = record.header;
  const outcome = { kind: 'stored', until: expiresAt } as const;
  const answer = encodeResponse(1, { type: 'STORE', outcome, newestSeq: seq, time: expiresAt });
  return encodeRequest(1, { type: 'STORE', record }).length + answer.length;
}

/** One of many in a frame. */
function moveBytes(record: HeldRecord): number {
  const frame = (records: readonly HeldRecord[]) => encodeRequest(1, { type: 'HAND_OFF', records }).length;
  return frame([record, record]) - frame([record]);
}
