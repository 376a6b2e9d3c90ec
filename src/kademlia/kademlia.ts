/**
 * The overlay of one node: table, lookups, times and the transport under them. Everybody above asks here who is near a key and sends requests
 * through here, so that every answer and every silence is noted once. Not here: records, quorums, where the first addresses come from.
 */
import {
  assert,
  type Clock,
  isNautilusError,
  type Load,
  type Observer,
  type Random,
  type StateStore,
} from '../core/index.ts';
import type { NetworkConstants } from '../records/index.ts';
import { answerRequest } from './answer-request.ts';
import type { Contact } from './contact.ts';
import { compareDistance } from './distance.ts';
import { Maintenance } from './maintenance.ts';
import type {
  FindNodeRequest,
  LeaveRequest,
  NodeMode,
  PingRequest,
  Request,
  Response,
  ResponseTo,
} from './messages.ts';
import type { WatchIntervals } from './neighbourhood-watch.ts';
import type { NodeId } from './node-id.ts';
import { Presence } from './presence.ts';
import type { RecordRequestHandler } from './record-request-handler.ts';
import { responseError } from './response-error.ts';
import { RoundTripTimes, type RoundTripTimesInit } from './round-trip-times.ts';
import { type Neighbourhood, RoutingTable } from './routing-table.ts';
import { sayGoodbye } from './say-goodbye.ts';
import { type CallOptions, type LookupOptions, type LookupOutcome, type LookupQuery, Searcher } from './searcher.ts';
import type { Peer, RequestOptions, Transport } from './transport.ts';

export interface KademliaComponents {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** Keeps the table over a restart. Without it a restart begins with nobody. */
  readonly state?: StateStore | undefined;
  readonly constants: NetworkConstants;
}

export interface KademliaInit {
  /** Requests of a lookup at a time while it still gets nearer. More: sooner there, more traffic. @default 3 */
  readonly alpha: number;
  /** How often buckets nobody asked about are refreshed, ms, ± 10 %; far ones every third time. Longer: dead contacts stay longer. @default 600_000 */
  readonly refreshIntervalMs: number;
  /**
   * How often a server asks one of its neighbours who else is near. Longer: newcomers and holes are noticed later, and records lie on fewer
   * nodes meanwhile. @default 2 s while there is news, 240 s while there is none
   */
  readonly watchIntervals: WatchIntervals;
  /** How long the oldest of a full bucket may have been quiet before a newcomer has it pinged, and for how long its answer vouches for the bucket, ms. @default 600_000 */
  readonly challengeAfterMs: number;
  /** Least time a STORE has, ms: its holder waits for a disk. @default 3_000 */
  readonly storeTimeoutMs: number;
  /** Time for `connect`, ms. @default 5_000 */
  readonly connectTimeoutMs: number;
  /** Time for saying goodbye to everybody, ms. @default 3_000 */
  readonly leaveTimeoutMs: number;
  readonly times: Partial<RoundTripTimesInit>;
}

const DEFAULT_INIT: KademliaInit = {
  alpha: 3,
  refreshIntervalMs: 600_000,
  watchIntervals: { shortest: 2_000, longest: 240_000 },
  challengeAfterMs: 600_000,
  storeTimeoutMs: 3_000,
  connectTimeoutMs: 5_000,
  leaveTimeoutMs: 3_000,
  times: {},
};

export interface KademliaEvents {
  /**
   * Somebody got or lost a place in the table, or came into doubt or out of it, so that `neighbourhood()` may be another. Called synchronously,
   * after the table changed, also several times in a row. Must not throw.
   */
  onContactsChanged(): void;
}

export class Kademlia {
  readonly table: RoutingTable;
  readonly #components: KademliaComponents;
  readonly #init: KademliaInit;
  readonly #times: RoundTripTimes;
  readonly #maintenance: Maintenance;
  readonly #presence: Presence;
  readonly #searcher: Searcher;
  #isStopped = false;

  constructor(components: KademliaComponents, init: Partial<KademliaInit> = {}) {
    const { transport, constants } = components;
    this.#components = components;
    this.#init = { ...DEFAULT_INIT, ...init };
    this.table = new RoutingTable({ self: transport.self.id, k: constants.k });
    this.#times = new RoundTripTimes(this.#init.times);
    this.#maintenance = new Maintenance({
      ...components,
      kademlia: this,
      refreshIntervalMs: this.#init.refreshIntervalMs,
      // The others keep no records: nobody counts on their knowing who is near.
      watchIntervals: transport.mode === 'server' ? this.#init.watchIntervals : undefined,
      isSilent: (id) => this.#times.isSuspect(id, components.clock.monotonic()),
      challengeAfterMs: this.#init.challengeAfterMs,
      onEvicted: (contact, outcome) => this.#presence.noteRemoval(contact, outcome),
    });
    this.#presence = new Presence({
      ...components,
      table: this.table,
      times: this.#times,
      maintenance: this.#maintenance,
    });
    this.#searcher = new Searcher({
      ...components,
      table: this.table,
      times: this.#times,
      presence: this.#presence,
      alpha: this.#init.alpha,
    });
  }

  get self(): Contact {
    return this.#components.transport.self;
  }

  get mode(): NodeMode {
    return this.#components.transport.mode;
  }

  /** Takes back the saved table, then opens the transport. Finding the network is `connect` and `bootstrap`. */
  async start(handler: RecordRequestHandler, events?: KademliaEvents): Promise<void> {
    const { transport, clock, observer } = this.#components;
    const presence = this.#presence;
    await this.#maintenance.restore();
    presence.start(() => events?.onContactsChanged());
    const answering = {
      table: this.table,
      handler,
      now: () => clock.now(),
      onLeave: (from: Peer) => presence.onLeave(from),
    };
    await transport.start({
      onPeerConnected: (peer) => presence.onConnected(peer),
      onPeerChanged: (peer) => presence.onChanged(peer),
      onPeerDisconnected: (peer, cause) => presence.onDisconnected(peer, cause),
      onRequest: async (from, request) => {
        presence.onSignOfLife(from);
        observer.notify({ type: 'request-served', request: request.type });
        try {
          return await answerRequest(answering, from, request);
        } catch (error) {
          this.#onAnswerFailed(request, error);
          throw error;
        }
      },
    });
    this.#maintenance.start();
  }

  /**
   * Ends maintenance and tells everybody connected, and everybody near, that this node goes: they take it out of their tables. Resolves within
   * `leaveTimeoutMs` and a save of the table; who cannot be told is left to notice. The node answers until `stop`.
   */
  async leave(): Promise<void> {
    await this.#maintenance.stop();
    const { clock } = this.#components;
    const contacts = this.mode === 'server' ? this.#expectingUs() : []; // the others are in nobody's table
    await sayGoodbye({
      clock,
      contacts,
      timeoutMs: this.#init.leaveTimeoutMs,
      send: (contact, options) => this.request<LeaveRequest>(contact, { type: 'LEAVE' }, options),
    });
  }

  /** Ends lookups, saves the table, closes the transport. Resolves within the transport's bounded time. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#searcher.stop();
    await this.#maintenance.stop();
    await this.#components.transport.stop();
  }

  /**
   * One request to another node, with a timeout that fits it.
   * @throws NautilusError as `Transport.request`; an error answer is `UNSUPPORTED`, `RESOURCE_EXHAUSTED`, `MALFORMED` or `INTERNAL`
   */
  async request<R extends Request>(
    to: Contact,
    request: R,
    options: Partial<RequestOptions> = {},
  ): Promise<ResponseTo<R>> {
    assert(!to.id.equals(this.self.id), 'a node does not ask itself');
    const { transport, clock, observer } = this.#components;
    const isConnected = this.isConnected(to.id);
    const adaptiveMs = this.#timeoutMs(to.id, request, isConnected);
    const { signal, timeoutMs = adaptiveMs } = options;
    const startedAt = clock.monotonic();
    observer.notify({ type: 'request-sent', request: request.type });
    let response: Response;
    try {
      response = await transport.request(to, request, { signal, timeoutMs });
      if (response.type !== request.type) throw responseError(response);
    } catch (error) {
      // Who was given less time than usual is not to blame for taking it.
      this.#onRequestFailed(to, request, error, timeoutMs >= adaptiveMs);
      throw error;
    }
    if (isConnected) this.#times.measured(to.id, clock.monotonic() - startedAt);
    this.#presence.onAnswer(to);
    return response as ResponseTo<R>;
  }

  /** @returns the round trip, ms, dialling included if there was no connection */
  async ping(contact: Contact, options: Partial<RequestOptions> = {}): Promise<number> {
    const { clock } = this.#components;
    const startedAt = clock.monotonic();
    await this.request<PingRequest>(contact, { type: 'PING' }, options);
    return clock.monotonic() - startedAt;
  }

  /** Dials an address nobody told an id for. @throws NautilusError as `Transport.connect` */
  connect(address: string, options: Partial<RequestOptions> = {}): Promise<Peer> {
    const { signal, timeoutMs = this.#init.connectTimeoutMs } = options;
    return this.#components.transport.connect(address, { signal, timeoutMs });
  }

  /** Finds the K live servers nearest to `target`. Rejects with the signal's reason, or `ABORTED` when the node stops. */
  findClosest(target: NodeId, options: LookupOptions = {}): Promise<LookupOutcome> {
    const request: FindNodeRequest = { type: 'FIND_NODE', target: target.bytes };
    const query: LookupQuery = async (contact, signal) => {
      const { closer } = await this.request(contact, request, { signal });
      return { closer, holder: true };
    };
    return this.search(target, query, options);
  }

  /** The same search with the caller's own request; contacts whose answer says `holder: false` are heard, but not counted in `closest`. */
  search(target: NodeId, query: LookupQuery, options: LookupOptions = {}): Promise<LookupOutcome> {
    return this.#searcher.search(target, query, options);
  }

  /** Joins the network this node has a first contact of (paper §2.3): finds itself, then refreshes the buckets farther away. */
  bootstrap(options: CallOptions = {}): Promise<void> {
    return this.#maintenance.bootstrap(options);
  }

  /** The network is being joined: who is near is not all known yet. */
  get isBootstrapping(): boolean {
    return this.#maintenance.isBootstrapping;
  }

  /** Refreshes buckets no lookup went through for a while, and knocks at the doors of some who are missing. */
  refresh(options: CallOptions = {}): Promise<void> {
    return this.#maintenance.refresh(options);
  }

  /** From the table alone, without asking anybody. */
  closest(target: NodeId, count: number, exclude?: NodeId): Contact[] {
    return this.table.closest(target, count, exclude);
  }

  /** Everybody in the table. */
  contacts(): Contact[] {
    return Array.from(this.table.entries(), (entry) => entry.contact);
  }

  /** Everybody connected, in the table or not. */
  peers(): readonly Peer[] {
    return this.#components.transport.peers();
  }

  /** 1 + how many known nodes are nearer to the key than this one. */
  rank(keyId: NodeId): number {
    return 1 + this.table.countNearer(keyId);
  }

  /**
   * The part of the id space around this node that it may claim to know completely, and everybody trusted in it.
   * @param reach leading bits: who shares at least so many is named as well
   */
  neighbourhood(reach?: number): Neighbourhood {
    return this.table.neighbourhood(reach);
  }

  /** Servers in the network, estimated, this one included if it is one. */
  networkSize(): number {
    return this.table.estimateOthers() + (this.mode === 'server' ? 1 : 0);
  }

  /** Lookups under way. */
  get lookups(): number {
    return this.#searcher.running;
  }

  /** How full the parts with a bound are, by name. */
  get loads(): Readonly<Record<string, Load>> {
    return { ...this.table.loads, ...this.#maintenance.loads, peerTimes: this.#times.load };
  }

  /** There is an open connection to it. */
  isConnected(id: NodeId): boolean {
    return this.#components.transport.peer(id) !== undefined;
  }

  /** After so many ms without an answer somebody else should be asked as well. */
  hedgeAfterMs(id: NodeId): number {
    return this.#times.hedgeAfterMs(id, this.isConnected(id));
  }

  /** Smoothed round trip, ms; undefined for a peer never measured. */
  rttMs(id: NodeId): number | undefined {
    return this.#times.rttMs(id);
  }

  /** When a contact of the table last answered or asked, ms since the epoch. */
  lastSeen(id: NodeId): number | undefined {
    return this.table.lastSeen(id);
  }

  /** Whoever may have this node in its table, nearest first. */
  #expectingUs(): Contact[] {
    const contacts = new Map(this.neighbourhood().contacts.map((contact) => [contact.id.hex, contact]));
    for (const { contact } of this.peers()) contacts.set(contact.id.hex, contact);
    return [...contacts.values()].sort((a, b) => compareDistance(this.self.id, a.id, b.id));
  }

  #timeoutMs(id: NodeId, request: Request, isConnected: boolean): number {
    const adaptiveMs = this.#times.timeoutMs(id, isConnected);
    return request.type === 'STORE' ? Math.max(adaptiveMs, this.#init.storeTimeoutMs) : adaptiveMs;
  }

  #onRequestFailed(to: Contact, request: Request, error: unknown, hadTime: boolean): void {
    if (!isNautilusError(error)) return;
    this.#components.observer.notify({ type: 'request-failed', request: request.type, code: error.code });
    switch (error.code) {
      case 'TIMEOUT':
        if (!hadTime) return;
        break;
      case 'PEER_UNREACHABLE':
      case 'MALFORMED':
        break;
      case 'NETWORK_MISMATCH':
        this.#presence.noteRemoval(to, this.table.remove(to.id));
        break;
      default:
        return; // it is there, or we gave up
    }
    this.#presence.onSilence(to);
  }

  /** The asker is told no more than `INTERNAL`; who runs this node must hear what it was. */
  #onAnswerFailed(request: Request, error: unknown): void {
    if (isNautilusError(error, 'RESOURCE_EXHAUSTED')) return;
    const message = `a ${request.type} could not be answered: ${error instanceof Error ? error.message : String(error)}`;
    this.#components.observer.notify({ type: 'warning', code: 'REQUEST_FAILED', message });
  }
}
