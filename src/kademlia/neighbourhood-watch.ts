/**
 * Who has come into the neighbourhood? Now and then one of its contacts is asked whom it knows there, and whoever is news is pinged: that makes
 * it a contact. Records lie on the K nearest nodes, so those must know each other sooner than a refresh would tell them. Whoever went is found
 * out by the silence of the one asked, the others by failed requests.
 *
 * Often while there is something to learn, seldom while there is not: the interval doubles with every round that told nothing new, and is the
 * shortest again after one that did (Trickle, RFC 6206 §4.2).
 */
import type { Clock, Random, Timer } from '../core/index.ts';
import type { Contact } from './contact.ts';
import { isThere } from './is-there.ts';
import type { FindNodeRequest, FindNodeResponse } from './messages.ts';
import type { NodeId } from './node-id.ts';
import { randomIdWithPrefix } from './random-id.ts';
import type { RoutingTable } from './routing-table.ts';
import { unlessBug } from './unless-bug.ts';

/** ms between two questions: each falls into the second half of its interval, so that nodes that started together do not ask together. */
export interface WatchIntervals {
  readonly shortest: number;
  readonly longest: number;
}

export interface NeighbourhoodWatchInit {
  readonly kademlia: {
    readonly table: RoutingTable;
    readonly self: Contact;
    request(
      to: Contact,
      request: FindNodeRequest,
      options?: { readonly signal?: AbortSignal },
    ): Promise<FindNodeResponse>;
    ping(contact: Contact, options?: { readonly signal?: AbortSignal | undefined }): Promise<number>;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly intervals: WatchIntervals;
  /** Neither this node nor in its table, and not silent a moment ago. */
  isNews(id: NodeId): boolean;
  /** Looks for everybody in a bucket. */
  lookInto(bucket: number, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** Newcomers pinged in a round: a crowd that comes at once is met in some rounds, and meets us. */
const MAX_PINGS = 3;

export class NeighbourhoodWatch {
  readonly #init: NeighbourhoodWatchInit;
  readonly #stopping = new AbortController();
  #intervalMs: number;
  #timer: Timer | undefined;

  constructor(init: NeighbourhoodWatchInit) {
    this.#init = init;
    this.#intervalMs = init.intervals.shortest;
  }

  start(): void {
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#stopping.abort(); // ends a round that is under way
  }

  #arm(): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, random } = this.#init;
    const delayMs = this.#intervalMs * (0.5 + 0.5 * random.next());
    // Not waited for: every request in it takes a bounded time, and `stop` ends them.
    this.#timer = clock.setTimer(Math.round(delayMs), () => void this.#round());
  }

  async #round(): Promise<void> {
    const { shortest, longest } = this.#init.intervals;
    try {
      const isNew = await this.#lookAround();
      this.#intervalMs = isNew ? shortest : Math.min(longest, 2 * this.#intervalMs);
    } catch (error) {
      if (!this.#stopping.signal.aborted) unlessBug(error);
    }
    this.#arm();
  }

  /** @returns whether this node knows more of its neighbourhood now */
  async #lookAround(): Promise<boolean> {
    const { kademlia, random, isNews, lookInto } = this.#init;
    const { table, self } = kademlia;
    const { signal } = this.#stopping;
    const unsearched = table.unsearchedBucket();
    if (unsearched !== undefined) await lookInto(unsearched, { signal });
    const asked = table.neighbourAt(random.next());
    if (asked === undefined) return false;
    const depth = table.neighbourhoodDepth();
    const target = randomIdWithPrefix(self.id, depth, random);
    const { closer } = await kademlia.request(asked, { type: 'FIND_NODE', target: target.bytes }, { signal });
    const news = closer.filter(({ id }) => table.bucketIndex(id) >= depth && isNews(id)).slice(0, MAX_PINGS);
    await Promise.all(news.map((contact) => isThere(kademlia, contact, { signal })));
    return unsearched !== undefined || news.some(({ id }) => table.get(id) !== undefined);
  }
}
