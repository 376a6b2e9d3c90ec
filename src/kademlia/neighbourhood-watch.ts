/**
 * Who has come into the neighbourhood? Now and then one of its contacts is asked whom it knows there, and whoever is news is pinged: that makes
 * it a contact. Records lie on the K nearest nodes, so those must know each other sooner than a refresh would tell them. Whoever went is found
 * out by the silence of the one asked, the others by failed requests.
 */
import type { Clock, Random, Timer } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { FindNodeRequest, FindNodeResponse } from './messages.ts';
import type { NodeId } from './node-id.ts';
import { randomIdWithPrefix } from './random-id.ts';
import type { RoutingTable } from './routing-table.ts';
import { unlessBug } from './unless-bug.ts';

export interface NeighbourhoodWatchInit {
  readonly kademlia: {
    readonly table: RoutingTable;
    readonly self: Contact;
    request(
      to: Contact,
      request: FindNodeRequest,
      options?: { readonly signal?: AbortSignal },
    ): Promise<FindNodeResponse>;
    ping(contact: Contact, options?: { readonly signal?: AbortSignal }): Promise<number>;
  };
  readonly clock: Clock;
  readonly random: Random;
  /** ± 10 %, the first time at any moment of it: nodes that started together do not ask together. */
  readonly intervalMs: number;
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
  #timer: Timer | undefined;

  constructor(init: NeighbourhoodWatchInit) {
    this.#init = init;
  }

  start(): void {
    this.#arm(this.#init.intervalMs * this.#init.random.next());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#stopping.abort(); // ends a round that is under way
  }

  #arm(delayMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#init.clock.setTimer(Math.round(delayMs), () => {
      const { intervalMs, random } = this.#init;
      this.#arm(intervalMs * (0.9 + 0.2 * random.next()));
      // Not waited for: every request in it takes a bounded time, and `stop` ends them.
      this.#lookAround().catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) unlessBug(error);
      });
    });
  }

  async #lookAround(): Promise<void> {
    const { kademlia, random, isNews, lookInto } = this.#init;
    const { table, self } = kademlia;
    const { signal } = this.#stopping;
    const unsearched = table.unsearchedBucket();
    if (unsearched !== undefined) await lookInto(unsearched, { signal });
    const asked = table.neighbourAt(random.next());
    if (asked === undefined) return;
    const depth = table.neighbourhoodDepth();
    const target = randomIdWithPrefix(self.id, depth, random);
    const { closer } = await kademlia.request(asked, { type: 'FIND_NODE', target: target.bytes }, { signal });
    const news = closer.filter(({ id }) => table.bucketIndex(id) >= depth && isNews(id));
    await Promise.all(news.slice(0, MAX_PINGS).map((contact) => kademlia.ping(contact, { signal }).catch(unlessBug)));
  }
}
