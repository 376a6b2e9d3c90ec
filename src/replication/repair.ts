/**
 * Keeps what this node should hold whole: compares with the other members of its regions when members change and now and then besides, fetches
 * what it lacks, gives what they lack, hands over what is no longer its business and drops it. One comparison at a time, paced by bytes, so
 * that lookups never wait for it. Who counts as a member is membership.ts, how two nodes compare reconciliation.ts.
 */
import {
  type Clock,
  isNautilusError,
  type Load,
  type Observer,
  type Random,
  sleep,
  type Timer,
  TokenBucket,
  type TokenBucketInit,
} from '../core/index.ts';
import { type Contact, compareDistance, NodeId } from '../kademlia/index.ts';
import {
  type CellRange,
  type HeldRecord,
  type NetworkConstants,
  type RecordStore,
  type RefusalReason,
  toHex,
} from '../records/index.ts';
import { coversRange, EVERYTHING, gapsBetween } from './cell-ranges.ts';
import { type HandOverInput, handOverKeys } from './hand-over.ts';
import type { HeldCells } from './held-cells.ts';
import { Membership, type MembershipComponents, type MembershipInit, type MembershipView } from './membership.ts';
import {
  type ReconcileInput,
  type ReconcileOutcome,
  type ReconciliationComponents,
  reconcile,
} from './reconciliation.ts';
import { findRegion, type Region } from './regions.ts';
import { Settlement } from './settlement.ts';

export interface RepairComponents {
  readonly kademlia: MembershipComponents['kademlia'] &
    ReconciliationComponents['kademlia'] & {
      closest(target: NodeId, count: number, exclude?: NodeId): readonly Contact[];
    };
  readonly store: RecordStore;
  readonly held: HeldCells;
  takeIn(from: Contact, records: readonly HeldRecord[]): Promise<readonly (RefusalReason | undefined)[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
}

/**
 * How long two members wait who compare though nothing happened: the shortest after they differed, twice as long after each round in which they did
 * not. A copy that is lost in silence is missed by the first of some 20 others, so in a small part of the longest.
 */
export interface RoundIntervals {
  readonly shortest: number;
  readonly longest: number;
}

export interface RepairInit {
  /** ms, ± 10 %, between two rounds. @default 600_000 and 2_400_000 */
  readonly intervals: RoundIntervals;
  /** Bytes of records that may travel because of this node. @default 512 KiB a second, 1 MiB at once */
  readonly bytes: TokenBucketInit;
  readonly membership: Partial<MembershipInit>;
}

const DEFAULT_INIT: RepairInit = {
  intervals: { shortest: 600_000, longest: 2_400_000 },
  bytes: { perSecond: 512 * 1024, burst: 1024 * 1024 },
  membership: {},
};

/** A key of which a copy lies here, though others should have it. */
interface Stray {
  readonly key: Uint8Array;
  /** When it was first noticed, monotonic ms. */
  readonly since: number;
}

interface Partner {
  /** Node id. */
  readonly hex: string;
  /** Monotonic ms. */
  dueAt: number;
  /** Comparisons in a row that failed, or settled nothing. */
  attempts: number;
  /** From the next round to the one after it, ms. */
  intervalMs: number;
  /** Records came here since it was last asked that it may not have. */
  isBehind: boolean;
}

const RETRY_MS = 5_000;
/** A member that came: it compares with us, or we with it, within this. */
const MIN_WELCOME_MS = 20_000;
const MAX_WELCOME_MS = 60_000;
/** Of the one of a pair that begins, so that its question has come before the other asks the same. */
const HEAD_START_MS = 1_000;
/** Receivers of a node that leaves, at a time: it has little time, and some of them may be gone as well. */
const RECEIVERS_AT_ONCE = 8;
/** From beat to beat, as a share of the suspicion time: a machine that stalls for the rest of it was not away. */
const HEARTBEAT_SHARE = 2 / 3;
const PACE_MS = 50;
/** How long a key must have been no business of ours before it goes: a round, which may have been a short one. */
const LINGER_SHARE = 0.9;

export class Repair {
  readonly #components: RepairComponents;
  readonly #init: RepairInit;
  readonly #membership: Membership;
  readonly #settlement: Settlement;
  readonly #budget: TokenBucket;
  readonly #stopping = new AbortController();
  // BOUNDED: by the members of our regions. By hex node id.
  readonly #partners = new Map<string, Partner>();
  // BOUNDED: by the cells held. Keys that were not ours when last looked at, by hex key id.
  #strays = new Map<string, Stray>();
  // BOUNDED: by the cells held. Hex ids of keys that came from somebody who took us for their nearest holder, until they are passed on.
  #misdelivered = new Set<string>();
  /** Members that came since strays were last looked for. */
  #arrivals = 0;
  #timer: Timer | undefined;
  #heartbeat: Timer | undefined;
  #sweepDueAt = Number.POSITIVE_INFINITY;
  #pass: Promise<void> | undefined;

  constructor(components: RepairComponents, init: Partial<RepairInit> = {}) {
    this.#components = components;
    this.#init = { ...DEFAULT_INIT, ...init };
    this.#budget = new TokenBucket(components.clock, this.#init.bytes);
    this.#settlement = new Settlement(components.clock);
    this.#membership = new Membership(components, (view) => this.#onMembership(view), this.#init.membership);
  }

  start(): void {
    this.#sweepDueAt = this.#components.clock.monotonic() + this.#jittered(this.#init.intervals.shortest);
    this.#membership.start();
    this.#beat();
    this.#arm();
  }

  /** Ends what is under way; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#membership.stop();
    this.#timer?.cancel();
    this.#heartbeat?.cancel();
    await this.#pass;
  }

  contactsChanged(): void {
    this.#membership.contactsChanged();
  }

  /** Whether this node may say that a key is absent. */
  isSettled(keyId: Uint8Array): boolean {
    return !this.#membership.isArriving && this.#settlement.isSettled(keyId);
  }

  /** The same of all keys there that this node is a holder of. */
  isSettledIn(ranges: readonly CellRange[]): boolean {
    return !this.#membership.isArriving && this.#settlement.isSettledIn(ranges);
  }

  get isEverywhereSettled(): boolean {
    return !this.#membership.isArriving && this.#settlement.isEverywhereSettled;
  }

  /** Members to compare with, and what came of it. */
  get loads(): Readonly<Record<'partners' | 'compared' | 'openAreas', Load>> {
    const partners = { size: this.#partners.size, limit: this.#membership.view.shared.size };
    return { partners, ...this.#settlement.loads };
  }

  /** A member asked, and holds what we hold. */
  onAgreed(from: Contact, ranges: readonly CellRange[], settled: boolean): void {
    const { hex } = from.id;
    this.#settlement.compared(hex, ranges, settled);
    const partner = this.#partners.get(hex);
    if (partner === undefined) return;
    // Not when it asked about some keys only, to hand them over: that is no round.
    const shared = this.#membership.view.shared.get(hex) ?? [];
    if (shared.every((range) => coversRange(ranges, range))) this.#nextRound(partner);
  }

  /** A member asked, and found that we differ: it exchanges what differs both ways now, so that we need not do the same at the same time. */
  onDiffered(from: Contact): void {
    const partner = this.#partners.get(from.id.hex);
    if (partner === undefined) return;
    partner.intervalMs = this.#init.intervals.shortest;
    partner.dueAt = Math.max(partner.dueAt, this.#in(this.#jittered(RETRY_MS)));
  }

  /**
   * Records came from somebody who is no holder of them by our view: it has kept them while those who are did not know of each other. What they
   * hold they hear of in the next round; these they should have sooner. Somebody far away may have taken us for the nearest: then they go on.
   */
  onHandedOff(from: Contact, keyIds: readonly Uint8Array[]): void {
    const { regions, shared } = this.#membership.view;
    const affected = new Set<Region>();
    for (const key of keyIds) {
      const region = findRegion(regions, key);
      if (region !== undefined) affected.add(region);
      else if (!shared.has(from.id.hex)) {
        this.#misdelivered.add(toHex(key));
        this.#sweepDueAt = Math.min(this.#sweepDueAt, this.#in(this.#between(RETRY_MS, MIN_WELCOME_MS)));
      }
    }
    for (const region of affected) {
      if (region.members.some((member) => member.equals(from.id))) continue;
      for (const { hex } of region.members) {
        const partner = this.#partners.get(hex);
        if (partner === undefined) continue;
        partner.isBehind = true;
        partner.dueAt = Math.min(partner.dueAt, this.#in(this.#between(RETRY_MS, MIN_WELCOME_MS)));
      }
    }
    this.#arm();
  }

  /**
   * Before leaving for good: whoever becomes the K-th nearest to a key then is given what it lacks. Bounded by the signal; what was not handed
   * over in time the others repair.
   */
  async handOver(signal: AbortSignal): Promise<void> {
    const { kademlia, held, constants } = this.#components;
    await this.#handOver({
      keys: held.keyIds([EVERYTHING]),
      receiverOf: (key) => kademlia.closest(NodeId.fromBytes(key), constants.k).at(-1),
      atOnce: RECEIVERS_AT_ONCE,
      signal,
    });
  }

  #onMembership(view: MembershipView): void {
    this.#settlement.onMembership(view);
    const now = this.#components.clock.monotonic();
    for (const hex of this.#partners.keys()) if (!view.shared.has(hex)) this.#partners.delete(hex);
    for (const [hex, shared] of view.shared) {
      const partner = this.#partners.get(hex);
      if (partner !== undefined && this.#settlement.isCovered(hex)) continue;
      const isUrgent = !this.isSettledIn(shared);
      const dueAt = this.#in(isUrgent ? this.#headStartMs(hex) : this.#between(MIN_WELCOME_MS, MAX_WELCOME_MS));
      if (partner === undefined) {
        const intervalMs = this.#init.intervals.shortest;
        this.#partners.set(hex, { hex, dueAt, attempts: 0, intervalMs, isBehind: false });
      } else partner.dueAt = Math.min(partner.dueAt, dueAt);
    }
    this.#arrivals += view.arrivals;
    if (this.#isUpheaval) {
      this.#sweepDueAt = Math.min(this.#sweepDueAt, now + this.#between(MIN_WELCOME_MS, MAX_WELCOME_MS));
    }
    this.#arm();
  }

  /** So many new members at once leave few of those who held a key before. */
  get #isUpheaval(): boolean {
    return this.#arrivals >= Math.ceil(this.#components.constants.k / 2);
  }

  /** Of a pair that both have to compare at once the smaller id begins, or they would move the same records twice. Comparing alone moves none. */
  #headStartMs(hex: string): number {
    return this.#membership.hasStayed && hex < this.#components.kademlia.self.id.hex ? HEAD_START_MS : 0;
  }

  /** Noticed only by the time that passed: a process that was stopped, a machine that slept. The others may have gone on without us. */
  #beat(): void {
    const { clock, constants } = this.#components;
    const before = clock.monotonic();
    this.#heartbeat = clock.setTimer(Math.round(constants.suspicionTimeMs * HEARTBEAT_SHARE), () => {
      if (clock.monotonic() - before > constants.suspicionTimeMs) {
        this.#settlement.forget();
        for (const partner of this.#partners.values()) partner.dueAt = this.#in(0);
        this.#arm();
      }
      this.#settlement.settleByTime();
      this.#beat();
    });
  }

  #arm(): void {
    if (this.#pass !== undefined || this.#stopping.signal.aborted) return;
    const { clock } = this.#components;
    this.#timer?.cancel();
    let dueAt = this.#sweepDueAt;
    for (const partner of this.#partners.values()) dueAt = Math.min(dueAt, partner.dueAt);
    // Whole milliseconds: a fraction that rounding loses would find nothing due, again and again.
    this.#timer = clock.setTimer(Math.max(0, Math.ceil(dueAt - clock.monotonic())), () => {
      this.#pass = this.#work().finally(() => {
        this.#pass = undefined;
        this.#arm();
      });
    });
  }

  async #work(): Promise<void> {
    const now = this.#components.clock.monotonic();
    const partner = this.#nearestDue(now);
    try {
      if (partner !== undefined) await this.#compareWith(partner);
      else if (this.#sweepDueAt <= now) await this.#sweep();
    } catch (error) {
      if (!isNautilusError(error) && !this.#stopping.signal.aborted) throw error;
      if (isNautilusError(error) && !SILENCES.has(error.code)) this.#warn(error);
    }
  }

  /** The nearest first: it has most of what a newcomer lacks. */
  #nearestDue(now: number): Contact | undefined {
    const { self } = this.#components.kademlia;
    let nearest: Contact | undefined;
    for (const { hex, dueAt } of this.#partners.values()) {
      if (dueAt > now) continue;
      const contact = this.#membership.contact(hex);
      if (contact === undefined) this.#partners.delete(hex);
      else if (nearest === undefined || compareDistance(self.id, contact.id, nearest.id) < 0) nearest = contact;
    }
    return nearest;
  }

  async #compareWith(contact: Contact): Promise<void> {
    const { hex } = contact.id;
    const ranges = this.#membership.view.shared.get(hex);
    const partner = this.#partners.get(hex);
    if (ranges === undefined || partner === undefined) {
      this.#partners.delete(hex);
      return;
    }
    // Until the outcome is known: whatever happens, it is not asked again at once.
    partner.attempts++;
    partner.dueAt = this.#in(this.#retryMs(partner));
    partner.isBehind = false;
    const mode = this.#membership.hasStayed ? 'exchange' : 'compare';
    const settled = this.isSettledIn(ranges);
    const outcome = await this.#reconcile({ partner: contact, ranges, settled, mode });
    const { agreed, partnerSettled } = outcome;
    if (!agreed || outcome.fetched + outcome.pushed > 0) partner.intervalMs = this.#init.intervals.shortest;
    if (agreed) this.#settlement.compared(hex, ranges, partnerSettled);
    if (agreed && !partner.isBehind && this.#settlement.isCompleteIn(ranges)) this.#nextRound(partner);
  }

  /** All is well between the two. */
  #nextRound(partner: Partner): void {
    partner.attempts = 0;
    partner.isBehind = false;
    partner.dueAt = this.#in(this.#jittered(partner.intervalMs));
    partner.intervalMs = Math.min(this.#init.intervals.longest, 2 * partner.intervalMs);
  }

  /**
   * Keys that are not ours: others have them, or are given them now; then they go. A key must have been no business of ours for a whole round,
   * because a member that comes and goes makes and unmakes us a holder, and what is still here needs not be fetched again. Only where so many
   * came that those who hold a key now may never have heard of it, as when a partition heals, it is handed over at once.
   */
  async #sweep(): Promise<void> {
    const { kademlia, store, held, clock } = this.#components;
    const { shortest: intervalMs } = this.#init.intervals;
    const now = clock.monotonic();
    const isUpheaval = this.#isUpheaval;
    this.#sweepDueAt = now + this.#jittered(intervalMs);
    this.#arrivals = 0;
    const { regions } = this.#membership.view;
    if (regions.length === 0) return; // we know nobody who could take over
    const ours = regions.map(({ range }) => range);
    const strays = new Map<string, Stray>();
    for (const key of held.size === 0 ? [] : held.keyIds(gapsBetween(ours))) {
      const hex = toHex(key);
      strays.set(hex, this.#strays.get(hex) ?? { key, since: now });
    }
    this.#strays = strays;
    const misdelivered = this.#misdelivered;
    this.#misdelivered = new Set();
    const isLingering = ({ since }: Stray) => now - since >= LINGER_SHARE * intervalMs;
    const isDue = ([hex, stray]: [string, Stray]) => isUpheaval || misdelivered.has(hex) || isLingering(stray);
    const due = [...strays].filter(isDue).map(([, { key }]) => key);
    const handedOver = await this.#handOver({
      keys: due,
      receiverOf: (key) => kademlia.closest(NodeId.fromBytes(key), 1)[0],
      atOnce: 1,
      signal: this.#stopping.signal,
    });
    for (const key of handedOver) {
      const hex = toHex(key);
      const stray = this.#strays.get(hex);
      // Whoever came or went meanwhile may have made it ours again.
      const isOurs = findRegion(this.#membership.view.regions, key) !== undefined;
      if (stray === undefined || !isLingering(stray) || isOurs) continue;
      await store.drop(key);
      this.#strays.delete(hex);
    }
  }

  #handOver(input: Omit<HandOverInput, 'reconcile'>): Promise<readonly Uint8Array[]> {
    return handOverKeys({ ...input, reconcile: (request) => this.#reconcile(request) });
  }

  async #reconcile(input: ReconcileInput): Promise<ReconcileOutcome> {
    const { signal = this.#stopping.signal } = input;
    const pace = (bytes: number) => this.#pace(bytes, signal);
    const outcome = await reconcile({ ...this.#components, pace }, { ...input, signal });
    const { fetched, pushed } = outcome;
    if (fetched + pushed > 0) {
      const nodeId = input.partner.id.hex;
      this.#components.observer.notify({ type: 'records-repaired', nodeId, fetched, pushed });
    }
    return outcome;
  }

  async #pace(bytes: number, signal: AbortSignal): Promise<void> {
    const wanted = Math.min(bytes, this.#init.bytes.burst);
    while (!this.#budget.trySpend(wanted)) await sleep(this.#components.clock, PACE_MS, signal);
  }

  #retryMs({ attempts }: Partner): number {
    if (!this.#membership.hasStayed) return this.#between(0.5 * RETRY_MS, RETRY_MS);
    return Math.min(this.#init.intervals.shortest, this.#jittered(RETRY_MS * 2 ** (attempts - 1)));
  }

  /** So many ms from now: whole monotonic ms, which take no object of their own in every partner. */
  #in(ms: number): number {
    return Math.ceil(this.#components.clock.monotonic() + ms);
  }

  #jittered(ms: number): number {
    return this.#between(0.9 * ms, 1.1 * ms);
  }

  #between(min: number, max: number): number {
    return min + (max - min) * this.#components.random.next();
  }

  #warn(error: { readonly code: string; readonly message: string }): void {
    const message = `records could not be compared with another holder, trying again: ${error.message}`;
    this.#components.observer.notify({ type: 'warning', code: error.code, message });
  }
}

/** The other is gone or busy: noted where the request was sent. */
const SILENCES: ReadonlySet<string> = new Set([
  'TIMEOUT',
  'PEER_UNREACHABLE',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
  'UNSUPPORTED',
  'NETWORK_MISMATCH',
]);
