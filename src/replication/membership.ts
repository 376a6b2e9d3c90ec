/**
 * Who else holds what this node holds, damped: a newcomer counts once it has stayed a while, longer each time it came and went; who is gone
 * counts until the suspicion time is over. So a node that flaps moves no records, and a lost packet none either. A node that has just started
 * itself takes everybody it meets for settled in: the others were there before it.
 */
import type { Clock, Timer } from '../core/index.ts';
import { type Contact, commonPrefixLength, type NodeId } from '../kademlia/index.ts';
import type { CellRange, NetworkConstants } from '../records/index.ts';
import { mergeSiblings } from './cell-ranges.ts';
import { type Region, regionsByMember, regionsOf } from './regions.ts';

export interface MembershipComponents {
  readonly kademlia: {
    readonly self: Contact;
    /** The network is being joined: who is near is not all known yet, and what is shared with those who are says nothing. */
    readonly isBootstrapping: boolean;
    /** Who shares at least `reach` leading bits is named, too, though it does not reach so far. */
    neighbourhood(reach: number): { readonly contacts: readonly Contact[]; readonly depth: number };
  };
  readonly clock: Clock;
  readonly constants: NetworkConstants;
}

export interface MembershipInit {
  /** How long a newcomer must have been there before it is handed anything, ms. @default 10_000 */
  readonly stayMs: number;
}

export interface MembershipView {
  /** Where this node is among the K nearest, ascending. */
  readonly regions: readonly Region[];
  /** Ranges in which both are members, by hex node id of the other. As few as possible: siblings are one. */
  readonly shared: ReadonlyMap<string, readonly CellRange[]>;
  /** Fewer than K nodes in all: everybody holds everything, and K' is how many there are. */
  readonly isSmall: boolean;
  /**
   * Who came so lately, this node too, that whoever had to make room may not have handed over yet: until when, monotonic ms, by hex node id. Nobody
   * while everybody known is a member of every region: then nobody had to.
   */
  readonly newcomers: ReadonlyMap<string, number>;
  /** How many have come to count since the view before, those too of whom nothing is shared because they left this node without a say. */
  readonly arrivals: number;
}

/** Before anybody has looked around: a holder of nothing. */
export const NO_VIEW: MembershipView = {
  regions: [],
  shared: new Map(),
  isSmall: true,
  newcomers: new Map(),
  arrivals: 0,
};

/** Times are whole monotonic ms: no objects of their own. */
interface Neighbour {
  contact: Contact;
  /** Since when it is there without a break, or when it went. */
  since: number;
  isPresent: boolean;
  /** It counts. */
  isMember: boolean;
  /** How often it went lately. */
  departures: number;
  /** When it came to count; undefined when it did before this node knew it, or does not yet. */
  countsSince: number | undefined;
}

interface Basis {
  readonly depth: number;
  readonly hasStayed: boolean;
  /** By hex node id. */
  readonly members: ReadonlyMap<string, NodeId>;
}

/** From a contact's coming or going to the new view, ms. */
const LOOK_AROUND_MS = 1_000;
const DEFAULT_INIT: MembershipInit = { stayMs: 10_000 };
/** Until others have noticed a member that came, counted it, found what it made a stray of theirs and handed that over, ms. */
const TAKE_OVER_MS = 120_000;
/** How long departures are held against a node, ms. */
const MEMORY_MS = 10 * 60_000;
const MAX_DOUBLINGS = 6;

export class Membership {
  readonly #components: MembershipComponents;
  readonly #init: MembershipInit;
  readonly #onChange: (view: MembershipView) => void;
  readonly #startedAt: number;
  // BOUNDED: by the neighbourhood, at most 5k or so (by the table while a crowd is coming), and those who left it within MEMORY_MS.
  readonly #neighbours = new Map<string, Neighbour>();
  #view = NO_VIEW;
  /** What the view was made of. */
  #basis: Basis = { depth: Number.POSITIVE_INFINITY, members: new Map(), hasStayed: false };
  #isStale = true;
  /** Monotonic ms. */
  #stayedSince = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(
    components: MembershipComponents,
    onChange: (view: MembershipView) => void,
    init: Partial<MembershipInit> = {},
  ) {
    this.#components = components;
    this.#onChange = onChange;
    this.#init = { ...DEFAULT_INIT, ...init };
    this.#startedAt = components.clock.monotonic();
  }

  /** At most a moment old. */
  get view(): MembershipView {
    return this.#view;
  }

  /** A node that has just started meets others, and does not know yet what that makes of it. */
  get isArriving(): boolean {
    return this.#isStale && !this.hasStayed;
  }

  contact(member: string): Contact | undefined {
    return this.#neighbours.get(member)?.contact;
  }

  /** This node has joined, and has been here long enough to be handed something: it knows who else is a member. */
  get hasStayed(): boolean {
    return this.#stayedSince < Number.POSITIVE_INFINITY;
  }

  /** Contacts came or went; many do at once, so the view is made a moment later. */
  contactsChanged(): void {
    if (this.#isStale || this.#isStopped) return;
    this.#isStale = true;
    this.#arm(LOOK_AROUND_MS);
  }

  start(): void {
    this.#update();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#components.clock.setTimer(delayMs, () => {
      this.#isStale = true;
      this.#update();
    });
  }

  #update(): void {
    if (!this.#isStale || this.#isStopped) return;
    const { kademlia, clock, constants } = this.#components;
    if (!this.hasStayed && kademlia.isBootstrapping) {
      this.#arm(LOOK_AROUND_MS);
      return;
    }
    this.#isStale = false;
    const now = Math.floor(clock.monotonic());
    const former = this.#basis;
    const neighbourhood = kademlia.neighbourhood(former.depth);
    this.#notePresence(neighbourhood.contacts, now);
    const dueInMs = Math.min(this.#judge(now), this.#stay(now));
    if (dueInMs < Number.POSITIVE_INFINITY) this.#arm(dueInMs);
    const everybody = this.#members();
    const near = everybody.filter((id) => commonPrefixLength(kademlia.self.id, id) >= neighbourhood.depth);
    // Newcomers may fill the neighbourhood before they count: until then it reaches as far as it did, or too few would be left to hold a key.
    const isFilled = neighbourhood.depth <= former.depth || near.length + 1 >= constants.k;
    const depth = isFilled ? neighbourhood.depth : former.depth;
    this.#forgetBeyond(depth);
    const members = new Map((isFilled ? near : everybody).map((id) => [id.hex, id]));
    const basis = { depth, members, hasStayed: this.hasStayed };
    if (isSame(former, basis)) return;
    const arrivals = everybody.filter(({ hex }) => !former.members.has(hex)).length;
    this.#basis = basis;
    this.#view = this.#viewOf([...members.values()], depth, arrivals);
    this.#onChange(this.#view);
  }

  /** Those who count, without this node. */
  #members(): NodeId[] {
    const members: NodeId[] = [];
    for (const { isMember, contact } of this.#neighbours.values()) if (isMember) members.push(contact.id);
    return members;
  }

  #forgetBeyond(depth: number): void {
    const { self } = this.#components.kademlia;
    for (const [hex, { contact }] of this.#neighbours) {
      if (commonPrefixLength(self.id, contact.id) < depth) this.#neighbours.delete(hex);
    }
  }

  #notePresence(contacts: readonly Contact[], now: number): void {
    const { self } = this.#components.kademlia;
    const present = new Set<string>();
    for (const contact of contacts) {
      const { hex } = contact.id;
      present.add(hex);
      const known = this.#neighbours.get(hex);
      if (known === undefined) {
        // Whoever a newcomer meets was there before it, and whoever is in view because the view is wider has not come either.
        const isMember = !this.hasStayed || commonPrefixLength(self.id, contact.id) < this.#basis.depth;
        this.#neighbours.set(hex, {
          contact,
          since: now,
          isPresent: true,
          isMember,
          departures: 0,
          countsSince: undefined,
        });
        continue;
      }
      known.contact = contact;
      if (known.isPresent) continue;
      known.isPresent = true;
      known.since = now;
    }
    for (const [hex, neighbour] of this.#neighbours) {
      if (!neighbour.isPresent || present.has(hex)) continue;
      neighbour.isPresent = false;
      neighbour.since = now;
      neighbour.departures = Math.min(MAX_DOUBLINGS, neighbour.departures + 1);
    }
  }

  /** @returns whole ms until the next one comes to count or ceases to; infinite when nobody is waiting */
  #judge(now: number): number {
    const { suspicionTimeMs } = this.#components.constants;
    let earliest = Number.POSITIVE_INFINITY;
    for (const neighbour of this.#neighbours.values()) {
      const { contact, since, isPresent, isMember, departures } = neighbour;
      const age = now - since;
      if (isPresent && !isMember) {
        const wanted = this.#init.stayMs * 2 ** departures;
        if (age >= wanted) {
          neighbour.isMember = true;
          neighbour.countsSince = now;
        } else earliest = Math.min(earliest, wanted - age);
      } else if (!isPresent && isMember) {
        if (age >= suspicionTimeMs) neighbour.isMember = false;
        else earliest = Math.min(earliest, suspicionTimeMs - age);
      } else if (age >= MEMORY_MS) {
        if (isPresent) neighbour.departures = 0;
        else this.#neighbours.delete(contact.id.hex);
      }
    }
    return Math.ceil(earliest);
  }

  /** @returns whole ms until it is worth asking again; infinite once this node has stayed */
  #stay(now: number): number {
    if (this.hasStayed) return Number.POSITIVE_INFINITY;
    const remaining = this.#init.stayMs - (now - this.#startedAt);
    if (remaining > 0) return Math.ceil(remaining);
    this.#stayedSince = now;
    return Number.POSITIVE_INFINITY;
  }

  #viewOf(others: readonly NodeId[], depth: number, arrivals: number): MembershipView {
    const { kademlia, constants } = this.#components;
    const self = kademlia.self.id;
    const regions = regionsOf({ self, others, k: constants.k, depth });
    const shared = new Map<string, readonly CellRange[]>();
    for (const [hex, list] of regionsByMember(regions)) {
      if (hex === self.hex) continue;
      const ranges = list.map(({ range }) => range);
      shared.set(hex, mergeSiblings(ranges));
    }
    const known = others.length + 1;
    const hasOutsiders = depth > 0 || known > constants.k;
    const newcomers = hasOutsiders ? this.#newcomers() : NO_VIEW.newcomers;
    return { regions, shared, isSmall: known < constants.k, newcomers, arrivals };
  }

  #newcomers(): Map<string, number> {
    const { kademlia, clock } = this.#components;
    const now = clock.monotonic();
    const newcomers = new Map<string, number>();
    for (const { contact, isMember, countsSince } of this.#neighbours.values()) {
      if (!isMember || countsSince === undefined) continue;
      const until = countsSince + TAKE_OVER_MS;
      if (until > now) newcomers.set(contact.id.hex, until);
    }
    const until = this.#stayedSince + TAKE_OVER_MS;
    if (until > now) newcomers.set(kademlia.self.id.hex, until);
    return newcomers;
  }
}

function isSame(a: Basis, b: Basis): boolean {
  if (a.depth !== b.depth || a.hasStayed !== b.hasStayed || a.members.size !== b.members.size) return false;
  for (const hex of a.members.keys()) if (!b.members.has(hex)) return false;
  return true;
}
