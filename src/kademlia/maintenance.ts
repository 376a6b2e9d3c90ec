/**
 * Keeps the table worth its name (paper §2.3): joining, refreshing what no lookup touched, pinging the oldest of full buckets, knocking at the
 * doors of the missing, so that two halves of a network find each other again, and saving the table.
 */
import {
  type Clock,
  isNautilusError,
  type Load,
  type Observer,
  type Random,
  type StateStore,
  type Timer,
} from '../core/index.ts';
import { bringsStrangers } from './brings-strangers.ts';
import type { Contact } from './contact.ts';
import { isThere } from './is-there.ts';
import type { FindNodeRequest, FindNodeResponse } from './messages.ts';
import { FAR_CONTACTS } from './neighbourhood-depth.ts';
import { NeighbourhoodWatch, type WatchIntervals } from './neighbourhood-watch.ts';
import type { NodeId } from './node-id.ts';
import { randomIdInBucket } from './random-id.ts';
import type { RoutingTable } from './routing-table.ts';
import { decodeTable, encodeTable } from './saved-table.ts';
import type { FailureOutcome } from './table-outcome.ts';
import { unlessBug } from './unless-bug.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface MaintenanceInit {
  readonly kademlia: {
    readonly table: RoutingTable;
    readonly self: Contact;
    findClosest(
      target: NodeId,
      options?: CallOptions & { readonly k?: number },
    ): Promise<{ readonly closest: readonly Contact[] }>;
    ping(contact: Contact, options?: CallOptions): Promise<number>;
    request(to: Contact, request: FindNodeRequest, options?: CallOptions): Promise<FindNodeResponse>;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  readonly state?: StateStore | undefined;
  readonly refreshIntervalMs: number;
  readonly challengeAfterMs: number;
  /** Undefined: the neighbourhood is not watched. */
  readonly watchIntervals: WatchIntervals | undefined;
  /** It did not answer last time, and that was not long ago. */
  isSilent(id: NodeId): boolean;
  /** A contact lost its place because it did not answer when it mattered. */
  onEvicted(contact: Contact, outcome: FailureOutcome): void;
}

const STATE_KEY = 'kademlia/table';
/** Missing contacts pinged at a time: everybody who misses them does so, and most stay dead. */
const PROBES = 4;
/** The same where nobody else is known. */
const PROBES_WHEN_DRY = 8;
/** Contacts with broken connections pinged at a time; with more of them the fault is more likely our own. */
const MAX_PROBES = 64;
/** When a neighbour that failed once is asked again, ms, ± 20 %: long enough for a stalled machine to be back. */
const RECHECK_AFTER_MS = 5_000;
/** Neighbours that wait for it. */
const MAX_RECHECKS = 64;
/** The first refresh and every third after it: of far contacts most live for hours, and of a saved table one that is still there is enough. */
const THOROUGH_EVERY = 3;

export class Maintenance {
  readonly #init: MaintenanceInit;
  readonly #stopping = new AbortController();
  // BOUNDED: one per bucket, by index: when it may be challenged again, monotonic ms.
  readonly #unchallengedUntil = new Map<number, number>();
  // BOUNDED: MAX_PROBES.
  readonly #probed = new Set<string>();
  // BOUNDED: MAX_RECHECKS, by hex id.
  readonly #rechecks = new Map<string, Timer>();
  readonly #watch: NeighbourhoodWatch | undefined;
  #bootstraps = 0;
  #refreshes = 0;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(init: MaintenanceInit) {
    this.#init = init;
    const { watchIntervals: intervals } = init;
    this.#watch =
      intervals === undefined
        ? undefined
        : new NeighbourhoodWatch({
            ...init,
            intervals,
            isNews: (id) => this.#isNews(id),
            lookInto: (j, options) => this.#lookInto(j, options),
          });
  }

  start(): void {
    this.#watch?.start();
    this.#armRefresh();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch?.stop();
    this.#timer?.cancel();
    for (const recheck of this.#rechecks.values()) recheck.cancel();
    await this.#round;
    await this.#save();
  }

  /** Contacts that are being asked, or will be in a moment, whether they are still there. */
  get loads(): { readonly probes: Load; readonly rechecks: Load } {
    return {
      probes: { size: this.#probed.size, limit: MAX_PROBES },
      rechecks: { size: this.#rechecks.size, limit: MAX_RECHECKS },
    };
  }

  async restore(): Promise<void> {
    const { state, kademlia } = this.#init;
    const bytes = await state?.get(STATE_KEY);
    if (bytes === undefined) return;
    for (const { contact, seenAt } of decodeTable(bytes)) kademlia.table.restore(contact, seenAt);
  }

  /** Who is near is not all known yet. */
  get isBootstrapping(): boolean {
    return this.#bootstraps > 0;
  }

  async bootstrap(options: CallOptions): Promise<void> {
    this.#bootstraps++;
    try {
      await this.#join(options);
    } finally {
      this.#bootstraps--;
    }
  }

  async #join(options: CallOptions): Promise<void> {
    const { kademlia } = this.#init;
    const { table, self } = kademlia;
    if (table.size === 0) await this.#probeMissing(PROBES_WHEN_DRY, options);
    const { closest } = await kademlia.findClosest(self.id, options);
    const heard = this.#heardCompletely(closest);
    for (let j = table.sizes().length - 1; j >= heard; j--) table.markSearched(j);
    for (let j = heard - 1; j >= 0; j--) {
      if (this.#wantsEverybodyIn(j) || (table.sizes()[j] ?? 0) < FAR_CONTACTS) await this.#lookInto(j, options);
    }
  }

  async refresh(options: CallOptions): Promise<void> {
    const { kademlia, clock, refreshIntervalMs } = this.#init;
    const { table, self } = kademlia;
    const isThorough = this.#refreshes++ % THOROUGH_EVERY === 0;
    const stale = table.staleBuckets(clock.monotonic() - refreshIntervalMs / 2);
    // Whoever is back may know many whom nobody here has heard of.
    const isReunion = await this.#isReunion(await this.#probeMissing(PROBES, options), options);
    if (isReunion) await kademlia.findClosest(self.id, options);
    for (const j of stale.reverse()) {
      if (isReunion || !(await this.#isSound(j, isThorough, options))) await this.#lookInto(j, options);
    }
    if (isThorough) await this.#save();
  }

  /**
   * A newcomer wants the place of the oldest of a full bucket: only silence costs it. Whoever answers vouches for its bucket for
   * `challengeAfterMs`, or else every request of a stranger would cost a PING; after a silence the next newcomer may challenge at once.
   */
  challenge(oldest: Contact, seenAt: number): void {
    const { kademlia, clock, challengeAfterMs, onEvicted } = this.#init;
    const index = kademlia.table.bucketIndex(oldest.id);
    const now = clock.monotonic();
    if (clock.now() - seenAt < challengeAfterMs || now < (this.#unchallengedUntil.get(index) ?? now)) return;
    if (this.#stopping.signal.aborted) return;
    this.#unchallengedUntil.set(index, now + challengeAfterMs);
    kademlia.ping(oldest).then(
      () => undefined, // an answer made it the most recently seen
      (error) => {
        if (isNautilusError(error, 'PEER_UNREACHABLE') || isNautilusError(error, 'TIMEOUT')) {
          this.#unchallengedUntil.delete(index);
          onEvicted(oldest, kademlia.table.evict(oldest.id));
        } else {
          unlessBug(error); // it is there, or the transport is closing
        }
      },
    );
  }

  /** Its connection broke: is it still there? */
  probe(contact: Contact): void {
    const { hex } = contact.id;
    if (this.#probed.has(hex) || this.#probed.size >= MAX_PROBES || this.#stopping.signal.aborted) return;
    this.#probed.add(hex);
    this.#init.kademlia
      .ping(contact)
      .catch(unlessBug)
      .finally(() => this.#probed.delete(hex));
  }

  /**
   * It failed once: is it still there? In the neighbourhood that should be certain in seconds, because its records need another holder; about
   * the others the next request or refresh will tell.
   */
  recheck(contact: Contact): void {
    const { clock, random, kademlia } = this.#init;
    const { table } = kademlia;
    const { id } = contact;
    if (this.#rechecks.has(id.hex) || this.#rechecks.size >= MAX_RECHECKS || this.#stopping.signal.aborted) return;
    if (table.failures(id) !== 1 || table.bucketIndex(id) < table.neighbourhoodDepth()) return;
    const timer = clock.setTimer(Math.round(RECHECK_AFTER_MS * (0.8 + 0.4 * random.next())), () => {
      this.#rechecks.delete(id.hex);
      if (table.failures(id) === 1) this.probe(contact);
    });
    this.#rechecks.set(id.hex, timer);
  }

  /** Some of the missing, at random. @returns those that answered: they are back in the table */
  async #probeMissing(count: number, options: CallOptions): Promise<Contact[]> {
    const { kademlia, random } = this.#init;
    const missing = kademlia.table.missing();
    const probed: Contact[] = [];
    for (let i = 0; i < count && missing.length > 0; i++) {
      probed.push(...missing.splice(Math.floor(random.next() * missing.length), 1));
    }
    const answers = await Promise.all(probed.map((contact) => isThere(kademlia, contact, options)));
    options.signal?.throwIfAborted();
    return probed.filter((_, i) => answers[i]);
  }

  async #isReunion(returned: readonly Contact[], options: CallOptions): Promise<boolean> {
    for (const contact of returned) if (await bringsStrangers(this.#init.kademlia, contact, options)) return true;
    return false;
  }

  /**
   * One question instead of the paper's lookup, most of whose requests would go to strangers: whoever was not heard of for the longest is asked.
   * Far away it is enough that there are others, and now and then that it answers. Where this node claims to know everybody, it must name
   * nobody new.
   */
  async #isSound(j: number, isThorough: boolean, options: CallOptions): Promise<boolean> {
    const { kademlia, random } = this.#init;
    const { table, self } = kademlia;
    const isFar = j < table.neighbourhoodDepth();
    const contacts = table.bucket(j);
    const [oldest] = contacts;
    if (isFar && contacts.length < FAR_CONTACTS) return false;
    if (oldest === undefined) return true; // its neighbours would have told the watch
    if (isFar) return !isThorough || isThere(kademlia, oldest, options);
    try {
      const { bytes: target } = randomIdInBucket(self.id, j, random);
      const { closer } = await kademlia.request(oldest, { type: 'FIND_NODE', target }, options);
      return !closer.some(({ id }) => table.bucketIndex(id) === j && this.#isNews(id));
    } catch (error) {
      unlessBug(error);
      return false;
    }
  }

  #isNews(id: NodeId): boolean {
    const { kademlia, isSilent } = this.#init;
    return !id.equals(kademlia.self.id) && kademlia.table.get(id) === undefined && !isSilent(id);
  }

  /** Asked from the nearest to the farthest, because what is found near decides how far the neighbourhood reaches. */
  async #lookInto(j: number, options: CallOptions): Promise<void> {
    const { kademlia, random } = this.#init;
    const { table, self } = kademlia;
    const target = randomIdInBucket(self.id, j, random);
    const wantsEverybody = this.#wantsEverybodyIn(j);
    await kademlia.findClosest(target, { ...options, k: wantsEverybody ? table.k : FAR_CONTACTS });
    if (wantsEverybody) table.markSearched(j);
  }

  /** Where this node claims to know everybody it has to ask for all of them. */
  #wantsEverybodyIn(j: number): boolean {
    const { table } = this.#init.kademlia;
    return j >= table.neighbourhoodDepth() || table.unsearchedBucket() === j;
  }

  /**
   * From this bucket on a lookup of our own id has just heard everybody there is. The paper refreshes every bucket farther than the nearest
   * neighbour's; those between it and the farthest of the K closest would be asked again what they have just said (log2 K lookups).
   */
  #heardCompletely(closest: readonly Contact[]): number {
    const { table } = this.#init.kademlia;
    const farthest = closest[table.k - 1];
    return farthest === undefined ? 0 : table.bucketIndex(farthest.id) + 1;
  }

  #armRefresh(): void {
    const { clock, random, refreshIntervalMs } = this.#init;
    if (this.#stopping.signal.aborted) return;
    this.#timer = clock.setTimer(Math.round(refreshIntervalMs * (0.9 + 0.2 * random.next())), () => {
      this.#round = this.#refreshQuietly().then(() => this.#armRefresh());
    });
  }

  async #refreshQuietly(): Promise<void> {
    try {
      await this.refresh({ signal: this.#stopping.signal });
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#warn('the routing table could not be refreshed, next try at the next interval', error);
    }
  }

  async #save(): Promise<void> {
    const { state, kademlia } = this.#init;
    try {
      await state?.set(STATE_KEY, encodeTable(kademlia.table));
    } catch (error) {
      this.#warn('the routing table could not be saved, a restart needs a bootstrap peer', error);
    }
  }

  #warn(message: string, cause: unknown): void {
    if (!isNautilusError(cause)) throw cause;
    this.#init.observer.notify({ type: 'warning', code: cause.code, message });
  }
}
