/**
 * The overlay of one node: table, lookups, times and the transport under them. Everybody above asks here who is near a key and sends requests
 * through here, so that every answer and every silence is noted once. Not here: records, quorums, where the first addresses come from.
 */
import {
  assert,
  type Clock,
  isNautilusError,
  NautilusError,
  type Observer,
  type Random,
  type StateStore,
} from '../core/index.ts';
import type { NetworkConstants } from '../records/index.ts';
import { answerRequest } from './answer-request.ts';
import type { Contact } from './contact.ts';
import { Lookup } from './lookup.ts';
import { Maintenance } from './maintenance.ts';
import type { FindNodeRequest, NodeMode, PingRequest, Request, Response, ResponseTo } from './messages.ts';
import { estimateOthers } from './network-size.ts';
import type { NodeId } from './node-id.ts';
import type { RecordRequestHandler } from './record-request-handler.ts';
import { responseError } from './response-error.ts';
import { RoundTripTimes, type RoundTripTimesInit } from './round-trip-times.ts';
import { type FailureOutcome, RoutingTable } from './routing-table.ts';
import { type LookupAnswer, runLookup } from './run-lookup.ts';
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
  /** How often buckets nobody asked about are refreshed, ms, ± 10 %. Longer: dead contacts stay longer. @default 600_000 */
  readonly refreshIntervalMs: number;
  /** How long the oldest of a full bucket may have been quiet before a newcomer has it pinged, and for how long its answer vouches for the bucket, ms. @default 60_000 */
  readonly challengeAfterMs: number;
  /** Least time a STORE has, ms: its holder waits for a disk. @default 3_000 */
  readonly storeTimeoutMs: number;
  /** Time for `connect`, ms. @default 5_000 */
  readonly connectTimeoutMs: number;
  readonly times: Partial<RoundTripTimesInit>;
}

const DEFAULT_INIT: KademliaInit = {
  alpha: 3,
  refreshIntervalMs: 600_000,
  challengeAfterMs: 60_000,
  storeTimeoutMs: 3_000,
  connectTimeoutMs: 5_000,
  times: {},
};

/** Lookups begin with this many times K: right after 30 % of 64 nodes died they find 97 % of the closest living, with K seeds 84 %. */
const SEED_FACTOR = 3;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface LookupOptions extends CallOptions {
  /** How many nodes to find. @default K of the network */
  readonly k?: number | undefined;
}

export interface LookupOutcome {
  /** Live servers that answered, nearest first, at most K, without this node. */
  readonly closest: readonly Contact[];
  /** Requests in sequence that led to the nearest; 0 when nobody answered. */
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
  /**
   * False when a contact nearer than the last of `closest` was still silent, or the lookup used up its requests. Who failed, or was silent a
   * moment ago and therefore passed over, is not missed.
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

export class Kademlia {
  readonly table: RoutingTable;
  readonly #components: KademliaComponents;
  readonly #init: KademliaInit;
  readonly #times: RoundTripTimes;
  readonly #maintenance: Maintenance;
  // BOUNDED: by the transport's connections.
  readonly #connected = new Map<string, Peer>();
  // BOUNDED: by the lookups the callers run.
  readonly #running = new Set<AbortController>();
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
      challengeAfterMs: this.#init.challengeAfterMs,
      onReplaced: (contact, outcome) => this.#noteRemoval(contact, outcome),
    });
  }

  get self(): Contact {
    return this.#components.transport.self;
  }

  get mode(): NodeMode {
    return this.#components.transport.mode;
  }

  /** Takes back the saved table, then opens the transport. Finding the network is `connect` and `bootstrap`. */
  async start(handler: RecordRequestHandler): Promise<void> {
    const { transport, clock, observer } = this.#components;
    await this.#maintenance.restore();
    const answering = { table: this.table, handler, now: () => clock.now() };
    await transport.start({
      onPeerConnected: (peer) => this.#onPeerConnected(peer),
      onPeerDisconnected: (peer, cause) => this.#onPeerDisconnected(peer, cause),
      onRequest: async (from, request) => {
        this.#onSignOfLife(from);
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

  /** Ends lookups, saves the table, closes the transport. Resolves within the transport's bounded time. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const reason = stopped();
    for (const controller of this.#running) controller.abort(reason);
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
    const isConnected = transport.isConnected(to.id);
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
    this.#onSignOfLife(this.#connected.get(to.id.hex), to);
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
  async search(target: NodeId, query: LookupQuery, options: LookupOptions = {}): Promise<LookupOutcome> {
    if (this.#isStopped) throw stopped();
    const { clock, constants } = this.#components;
    const { k = constants.k } = options;
    const startedAt = clock.monotonic();
    const controller = new AbortController();
    const onAbort = () => controller.abort(options.signal?.reason);
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#running.add(controller);
    try {
      let sent = 0;
      const ask = async (contact: Contact): Promise<LookupAnswer> => {
        sent++;
        const { closer, holder } = await query(contact, controller.signal);
        return { closer, counts: holder && this.#isServer(contact.id) };
      };
      let lookup = await this.#lookUp({ target, k, passOverSuspects: true }, ask, controller.signal);
      // Everybody is suspect: more likely it was this node that could not be heard. Then nobody is passed over.
      if (sent === 0) lookup = await this.#lookUp({ target, k, passOverSuspects: false }, ask, controller.signal);
      return this.#finish(lookup, target, sent, clock.monotonic() - startedAt);
    } finally {
      this.#running.delete(controller);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Joins the network this node has a first contact of (paper §2.3): finds itself, then refreshes the buckets farther away. */
  bootstrap(options: CallOptions = {}): Promise<void> {
    return this.#maintenance.bootstrap(options);
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

  /** Servers in the network, estimated, this one included if it is one. */
  networkSize(): number {
    const { k } = this.#components.constants;
    const nearest = this.table.closest(this.self.id, k);
    const others = estimateOthers({ self: this.self.id, nearest, k, known: this.table.size });
    return others + (this.mode === 'server' ? 1 : 0);
  }

  /** Smoothed round trip, ms; undefined for a peer never measured. */
  rttMs(id: NodeId): number | undefined {
    return this.#times.rttMs(id);
  }

  /** When a contact of the table last answered or asked, ms since the epoch. */
  lastSeen(id: NodeId): number | undefined {
    return this.table.lastSeen(id);
  }

  async #lookUp(
    { target, k, passOverSuspects }: { target: NodeId; k: number; passOverSuspects: boolean },
    ask: (contact: Contact) => Promise<LookupAnswer>,
    signal: AbortSignal,
  ): Promise<Lookup> {
    const { clock, transport } = this.#components;
    const lookup = new Lookup({ target, self: this.self.id, k, alpha: this.#init.alpha }, this.#seeds(target));
    const driver = {
      clock,
      ask,
      isSuspect: ({ id }: Contact) => passOverSuspects && this.#times.isSuspect(id, clock.monotonic()),
      hedgeAfterMs: ({ id }: Contact) => this.#times.hedgeAfterMs(id, transport.isConnected(id)),
    };
    await runLookup(lookup, driver, signal);
    return lookup;
  }

  #finish(lookup: Lookup, target: NodeId, requests: number, elapsedMs: number): LookupOutcome {
    const { closest, hops, isComplete } = lookup;
    if (closest.length > 0) this.table.markRefreshed(target, this.#components.clock.monotonic());
    this.#components.observer.notify({ type: 'lookup-finished', hops, requests, elapsedMs });
    return { closest, hops, requests, elapsedMs, complete: isComplete };
  }

  /**
   * The nearest of the table, and spares for the case that many of them are dead: they cost nothing unless they are needed. While it knows few,
   * also who introduced us: bootstrap nodes are in nobody's table.
   */
  #seeds(target: NodeId): readonly Contact[] {
    const { k } = this.#components.constants;
    const known = this.table.closest(target, SEED_FACTOR * k);
    if (known.length >= k) return known;
    const introducers = this.peers().filter((peer) => peer.mode !== 'client');
    return [...known, ...introducers.slice(0, k).map((peer) => peer.contact)];
  }

  /** Only what HELLO said counts: a contact list may name anybody. */
  #isServer(id: NodeId): boolean {
    const peer = this.#connected.get(id.hex);
    return peer === undefined ? this.table.get(id) !== undefined : peer.mode === 'server';
  }

  #timeoutMs(id: NodeId, request: Request, isConnected: boolean): number {
    const adaptiveMs = this.#times.timeoutMs(id, isConnected);
    return request.type === 'STORE' ? Math.max(adaptiveMs, this.#init.storeTimeoutMs) : adaptiveMs;
  }

  #onPeerConnected(peer: Peer): void {
    const { hex } = peer.contact.id;
    const isNew = !this.#connected.has(hex);
    this.#connected.set(hex, peer);
    if (isNew) this.#components.observer.notify({ type: 'peer-connected', nodeId: hex, mode: peer.mode });
    if (peer.mode !== 'server') this.#noteRemoval(peer.contact, this.table.remove(peer.contact.id));
    this.#onSignOfLife(peer);
  }

  #onPeerDisconnected({ contact }: Peer, cause: 'closed' | 'lost' = 'closed'): void {
    const { hex } = contact.id;
    this.#connected.delete(hex);
    this.#components.observer.notify({ type: 'peer-disconnected', nodeId: hex });
    if (cause === 'closed' || this.table.get(contact.id) === undefined) return;
    this.#onSilence(contact);
    this.#maintenance.probe(contact);
  }

  /** `contact`: who answered, when its connection is closed again already. */
  #onSignOfLife(peer: Peer | undefined, contact = peer?.contact): void {
    if (contact === undefined) return;
    this.#times.heardOf(contact.id);
    if (peer?.mode === 'server') this.#offer(peer.contact);
    else if (peer === undefined && this.table.get(contact.id) !== undefined) this.#offer(contact);
  }

  #offer(contact: Contact): void {
    const outcome = this.table.insert(contact, this.#components.clock.now());
    if (outcome.kind === 'inserted') {
      this.#components.observer.notify({ type: 'contact-added', nodeId: contact.id.hex });
    } else if (outcome.kind === 'full') {
      this.#maintenance.challenge(outcome.oldest, outcome.oldestSeenAt);
    }
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
        this.#noteRemoval(to, this.table.remove(to.id));
        break;
      default:
        return; // it is there, or we gave up
    }
    this.#onSilence(to);
  }

  /** The asker is told no more than `INTERNAL`; who runs this node must hear what it was. */
  #onAnswerFailed(request: Request, error: unknown): void {
    if (isNautilusError(error, 'RESOURCE_EXHAUSTED')) return;
    const message = `a ${request.type} could not be answered: ${error instanceof Error ? error.message : String(error)}`;
    this.#components.observer.notify({ type: 'warning', code: 'REQUEST_FAILED', message });
  }

  #onSilence(contact: Contact): void {
    this.#times.silent(contact.id, this.#components.clock.monotonic());
    this.#noteRemoval(contact, this.table.failed(contact.id));
  }

  #noteRemoval(contact: Contact, outcome: FailureOutcome): void {
    if (outcome.kind !== 'removed') return;
    const { observer } = this.#components;
    observer.notify({ type: 'contact-removed', nodeId: contact.id.hex });
    if (outcome.promoted !== undefined) observer.notify({ type: 'contact-added', nodeId: outcome.promoted.id.hex });
  }
}

function stopped(): NautilusError {
  return new NautilusError('ABORTED', 'the node is stopping: start it again to go on');
}
