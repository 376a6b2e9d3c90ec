/**
 * Keeping records on the K closest nodes and finding them again: the composite a node uses. The ways themselves are in put.ts, get.ts and
 * delete.ts; what other nodes ask of this one is in holder.ts.
 */
import { type Clock, KeyedQueue, type Load, type Observer, type Random, type StateStore } from '../core/index.ts';
import type { Kademlia, RecordRequestHandler } from '../kademlia/index.ts';
import type { NetworkConstants, RecordStore, Signer, Verifier } from '../records/index.ts';
import { answerSync } from './answer-sync.ts';
import { type DeleteInput, deleteRecord } from './delete.ts';
import { type GetInput, getRecords } from './get.ts';
import { HeldCells } from './held-cells.ts';
import { Holder, type HolderInit } from './holder.ts';
import { KHistory } from './k-history.ts';
import { type Publication, Publications } from './publications.ts';
import { type PutInput, putRecord } from './put.ts';
import { checkQuorum } from './quorum.ts';
import { Repair, type RepairInit } from './repair.ts';
import type { GetResult, PutResult } from './results.ts';
import { SeenVersions } from './seen-versions.ts';

export interface ReplicationComponents {
  readonly kademlia: Kademlia;
  /** Undefined on clients and bootstrap nodes. */
  readonly store: RecordStore | undefined;
  readonly state: StateStore;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
}

export interface ReplicationInit {
  readonly holder: Partial<HolderInit>;
  readonly repair: Partial<RepairInit>;
}

/** How long a leaving node hands records over before it leaves anyway, ms. */
const LEAVE_MS = 3_000;

export class Replication {
  /** Answers requests about records: hand it to `Kademlia.start`, with this as the one who hears of contacts that come and go. */
  readonly handler: RecordRequestHandler;
  readonly #parts: Parameters<typeof deleteRecord>[0] & { readonly kademlia: Kademlia };
  /** Two puts of one key in one microsecond must not share a seq. */
  readonly #publishing = new KeyedQueue();

  readonly #holder: Holder;
  readonly #repair: Repair | undefined;
  readonly #held: HeldCells | undefined;

  private constructor(
    components: ReplicationComponents,
    restored: { readonly kHistory: KHistory; readonly held: HeldCells | undefined },
    init: Partial<ReplicationInit>,
  ) {
    const { kHistory, held } = restored;
    const { store } = components;
    const holder = new Holder(components, init.holder);
    this.handler = holder;
    this.#holder = holder;
    this.#held = held;
    if (store !== undefined && held !== undefined) {
      const repair = new Repair(
        { ...components, store, held, takeIn: (from, records) => holder.takeIn(from, records) },
        init.repair,
      );
      holder.vouchBy({
        isSettled: (keyId) => repair.isSettled(keyId),
        onHandedOff: (from, keyIds) => repair.onHandedOff(from, keyIds),
        answerSync: (from, request) => answerSync({ held, repair }, from, request),
      });
      this.#repair = repair;
    }
    this.#parts = {
      ...components,
      holder,
      kHistory,
      publications: new Publications(components),
      seen: new SeenVersions(),
    };
  }

  /** Reads the whole store once. */
  static async create(components: ReplicationComponents, init: Partial<ReplicationInit> = {}): Promise<Replication> {
    const { store } = components;
    const held = store === undefined ? undefined : await HeldCells.load(store);
    return new Replication(components, { kHistory: await KHistory.restore(components), held }, init);
  }

  /** Begins to keep its records whole; once `Kademlia` has started. */
  start(): void {
    this.#repair?.start();
  }

  /** A contact got or lost its place in the table. */
  onContactsChanged(): void {
    this.#repair?.contactsChanged();
  }

  /** Before leaving for good, while requests still work: what others lack then is handed to them. Takes a bounded time. */
  async leave(): Promise<void> {
    if (this.#repair === undefined) return; // nobody counts on it
    const { kademlia, clock } = this.#parts;
    const deadline = new AbortController();
    const timer = clock.setTimer(LEAVE_MS, () => deadline.abort());
    try {
      await this.#repair.handOver(deadline.signal);
    } finally {
      timer.cancel();
    }
    await kademlia.leave();
  }

  async stop(): Promise<void> {
    await this.#repair?.stop();
    this.#held?.close();
  }

  /** This node may speak for everything it is a holder of. False where no records are kept. */
  get isSettled(): boolean {
    return this.#repair?.isEverywhereSettled ?? false;
  }

  /** How full the parts with a bound are, by name. */
  get loads(): Readonly<Record<string, Load>> {
    return { seen: this.#parts.seen.load, ...this.#holder.loads, ...this.#repair?.loads };
  }

  async put(input: PutInput): Promise<PutResult> {
    checkQuorum(input.quorum, this.#parts.constants.k);
    return this.#publishing.run(input.key.text, () => putRecord(this.#parts, input));
  }

  async delete(input: DeleteInput): Promise<PutResult> {
    checkQuorum(input.quorum, this.#parts.constants.k);
    return this.#publishing.run(input.key.text, () => deleteRecord(this.#parts, input));
  }

  async get(input: GetInput): Promise<GetResult> {
    checkQuorum(input.quorum, this.#parts.constants.k);
    return getRecords(this.#parts, input);
  }

  /** What this node has published and no clock can come back to yet, by key id: tombstones and expired ones too. */
  publications(): AsyncIterable<Publication> {
    return this.#parts.publications.entries();
  }
}
