/**
 * Lookups over the network: where they begin, whom they pass over, what comes of them. lookup.ts decides whom to ask, run-lookup.ts asks;
 * what is asked is the caller's.
 */
import { type Clock, NautilusError, type Observer, onAbort } from '../core/index.ts';
import type { NetworkConstants } from '../records/index.ts';
import type { Contact } from './contact.ts';
import { Lookup } from './lookup.ts';
import type { NodeId } from './node-id.ts';
import type { Presence } from './presence.ts';
import type { RoundTripTimes } from './round-trip-times.ts';
import type { RoutingTable } from './routing-table.ts';
import { type LookupAnswer, runLookup } from './run-lookup.ts';
import type { Transport } from './transport.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface LookupOptions extends CallOptions {
  /** How many nodes to find. @default K of the network */
  readonly k?: number | undefined;
  /**
   * Asked after every answer and silence: true ends the lookup although some of the K closest have not been heard. Requests under way go on.
   * @default never: all of the K closest are heard
   */
  readonly isEnough?: ((members: LookupMembers) => boolean) | undefined;
}

/** Who the K closest are, as far as the lookup knows. */
export interface LookupMembers {
  /** Live servers that answered, nearest first, at most K, without this node. */
  readonly closest: readonly Contact[];
  /** Not heard yet, and not overdue either. Empty unless the lookup was ended early. */
  readonly pending: readonly Contact[];
  /**
   * Contacts nearer than the last of `closest` (anywhere, when fewer than K were found) that did not answer in this lookup, and are not known
   * to be silent for the suspicion time yet: they still count as members. Somebody nobody but one stranger named is not among them.
   */
  readonly silent: readonly Contact[];
}

export interface LookupOutcome extends LookupMembers {
  /** Requests in sequence that led to the nearest; 0 when nobody answered. */
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
  /**
   * False when a contact nearer than the last of `closest` was still silent, the lookup used up its requests, or was ended early. Who failed, or
   * was silent a moment ago and therefore passed over, is not missed.
   */
  readonly complete: boolean;
}

/**
 * The caller's own request in a lookup. Rejects with a `NautilusError` when the contact does not answer, and settles within a bounded time, as
 * `request` does; any other error ends the lookup. `signal` is one for the whole lookup.
 */
export type LookupQuery = (
  contact: Contact,
  signal: AbortSignal,
) => Promise<{ readonly closer: readonly Contact[]; readonly holder: boolean }>;

export interface SearcherInit {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
  readonly table: RoutingTable;
  readonly times: RoundTripTimes;
  readonly presence: Presence;
  readonly alpha: number;
}

/** Lookups begin with this many times K: right after 30 % of 64 nodes died they find 97 % of the closest living, with K seeds 84 %. */
const SEED_FACTOR = 3;
interface LookupPlan {
  readonly target: NodeId;
  readonly k: number;
  readonly passOverSuspects: boolean;
  readonly isEnough: LookupOptions['isEnough'];
}

interface LookupEnd {
  readonly lookup: Lookup;
  /** Where it stood when it was enough; undefined when it was not ended early. */
  readonly early: LookupMembers | undefined;
}

export class Searcher {
  readonly #init: SearcherInit;
  // BOUNDED: by the lookups the callers run.
  readonly #running = new Set<AbortController>();
  #isStopped = false;

  constructor(init: SearcherInit) {
    this.#init = init;
  }

  /** Lookups under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Ends what runs with `ABORTED` and refuses more. */
  stop(): void {
    this.#isStopped = true;
    const reason = stopped();
    for (const controller of this.#running) controller.abort(reason);
  }

  /** See `Kademlia.search`. */
  async search(target: NodeId, query: LookupQuery, options: LookupOptions): Promise<LookupOutcome> {
    if (this.#isStopped) throw stopped();
    const { clock, constants, presence } = this.#init;
    const { k = constants.k, isEnough } = options;
    const startedAt = clock.monotonic();
    const controller = new AbortController();
    const { signal } = options;
    const unwatch = signal && onAbort(signal, () => controller.abort(signal.reason));
    this.#running.add(controller);
    try {
      let sent = 0;
      const ask = async (contact: Contact): Promise<LookupAnswer> => {
        sent++;
        const { closer, holder } = await query(contact, controller.signal);
        return { closer, counts: holder && presence.isServer(contact.id) };
      };
      const plan = { target, k, isEnough, passOverSuspects: true };
      let ended = await this.#lookUp(plan, ask, controller.signal);
      // Everybody is suspect: more likely it was this node that could not be heard. Then nobody is passed over.
      if (sent === 0) ended = await this.#lookUp({ ...plan, passOverSuspects: false }, ask, controller.signal);
      return this.#finish(ended, target, sent, clock.monotonic() - startedAt);
    } finally {
      this.#running.delete(controller);
      unwatch?.();
    }
  }

  async #lookUp(
    { target, k, passOverSuspects, isEnough }: LookupPlan,
    ask: (contact: Contact) => Promise<LookupAnswer>,
    signal: AbortSignal,
  ): Promise<LookupEnd> {
    const { clock, transport, presence, times, alpha } = this.#init;
    const { id: self } = transport.self;
    // Who wants to hear all of the K closest is better served by the names that going on with alpha brings when many are silent.
    const kWithin = isEnough === undefined ? 0 : this.#kWithin(k);
    const lookup = new Lookup({ target, self, k, alpha, kWithin }, this.#seeds(target));
    let early: LookupMembers | undefined;
    const driver = {
      clock,
      ask,
      isSuspect: ({ id }: Contact) =>
        presence.hasLeft(id) || (passOverSuspects && times.isSuspect(id, clock.monotonic())),
      // Who was silent last time is asked again, but not relied on.
      hedgeAfterMs: ({ id }: Contact) =>
        passOverSuspects && times.silentSince(id) !== undefined
          ? 0
          : times.hedgeAfterMs(id, transport.peer(id) !== undefined),
      isEnough: () => {
        const members = isEnough && this.#membersNow(lookup);
        if (members === undefined || !isEnough?.(members)) return false;
        early = members;
        return true;
      },
    };
    await runLookup(lookup, driver, signal);
    return { lookup, early };
  }

  /** The K closest as they stand; undefined while somebody who may have been made up is among them. */
  #membersNow(lookup: Lookup): LookupMembers | undefined {
    const standing = lookup.standing((contact) => this.#mayBeMember(contact));
    if (standing === undefined) return undefined;
    const { answered: closest, pending, silent } = standing;
    return { closest, pending, silent };
  }

  #finish({ lookup, early }: LookupEnd, target: NodeId, requests: number, elapsedMs: number): LookupOutcome {
    const { hops, isComplete } = lookup;
    const members = early ?? { closest: lookup.closest, pending: [], silent: this.#silentIn(lookup) };
    if (members.closest.length > 0) this.#init.table.markRefreshed(target, this.#init.clock.monotonic());
    this.#init.observer.notify({ type: 'lookup-finished', hops, requests, elapsedMs });
    return { ...members, hops, requests, elapsedMs, complete: isComplete };
  }

  #silentIn(lookup: Lookup): Contact[] {
    return lookup.unanswered.filter(({ id }) => this.#mayStillBeMember(id));
  }

  /**
   * The nearest of the table, and spares for the case that many of them are dead: they cost nothing unless they are needed. While it knows few,
   * also who introduced us: bootstrap nodes are in nobody's table.
   */
  #seeds(target: NodeId): readonly Contact[] {
    const { k } = this.#init.constants;
    const known = this.#init.table.closest(target, SEED_FACTOR * k);
    if (known.length >= k) return known;
    const introducers = this.#init.transport
      .peers()
      .filter((peer) => peer.mode !== 'client' && !this.#init.presence.hasLeft(peer.contact.id));
    return [...known, ...introducers.slice(0, k).map((peer) => peer.contact)];
  }

  /** See `LookupInit`. Whoever knows fewer than K does not know how large the network is. */
  #kWithin(k: number): number {
    const { table, constants } = this.#init;
    return table.size < constants.k ? 0 : (k + 2 * Math.sqrt(k)) / table.estimateOthers();
  }

  /** Nobody who is known to be something else than a server. */
  #mayBeMember({ id }: Contact): boolean {
    const { transport, presence } = this.#init;
    return (transport.peer(id) === undefined || presence.isServer(id)) && this.#mayStillBeMember(id);
  }

  /** Not silent for the suspicion time: it may be back in a moment with what it acknowledged. */
  #mayStillBeMember(id: NodeId): boolean {
    const { clock, constants } = this.#init;
    if (this.#init.presence.hasLeft(id)) return false;
    const since = this.#init.times.silentSince(id);
    return since === undefined || clock.monotonic() - since < constants.suspicionTimeMs;
  }
}

function stopped(): NautilusError {
  return new NautilusError('ABORTED', 'the node is stopping: start it again to go on');
}
