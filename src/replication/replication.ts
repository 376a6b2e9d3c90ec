/**
 * Keeping records on the K closest nodes and finding them again: the composite a node uses. The ways themselves are in put.ts, get.ts and
 * delete.ts; what other nodes ask of this one is in holder.ts.
 */
import { type Clock, KeyedQueue, type Observer, type StateStore } from '../core/index.ts';
import type { Kademlia, RecordRequestHandler } from '../kademlia/index.ts';
import type { NetworkConstants, RecordStore, Signer, Verifier } from '../records/index.ts';
import { type DeleteInput, deleteRecord } from './delete.ts';
import { type GetInput, getRecords } from './get.ts';
import { Holder, type HolderInit } from './holder.ts';
import { KHistory } from './k-history.ts';
import { type Publication, Publications } from './publications.ts';
import { type PutInput, putRecord } from './put.ts';
import { checkQuorum } from './quorum.ts';
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
  readonly observer: Observer;
  readonly constants: NetworkConstants;
}

export class Replication {
  /** Answers FIND_VALUE and STORE: hand it to `Kademlia.start`. */
  readonly handler: RecordRequestHandler;
  readonly #parts: Parameters<typeof deleteRecord>[0];
  /** Two puts of one key in one microsecond must not share a seq. */
  readonly #publishing = new KeyedQueue();

  private constructor(components: ReplicationComponents, kHistory: KHistory, init: Partial<HolderInit>) {
    const holder = new Holder(components, init);
    this.handler = holder;
    this.#parts = {
      ...components,
      holder,
      kHistory,
      publications: new Publications(components),
      seen: new SeenVersions(),
    };
  }

  static async create(components: ReplicationComponents, init: Partial<HolderInit> = {}): Promise<Replication> {
    return new Replication(components, await KHistory.restore(components), init);
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
