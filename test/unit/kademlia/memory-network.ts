/**
 * The smallest network Kademlia can run on: every frame passes through the real codec, time is a ManualClock, nothing is lost unless a test says
 * so. Not a simulator: no latency model, no seeds, some dozens of nodes.
 */
import { setMaxListeners } from 'node:events';
import {
  NautilusError,
  type Observer,
  type Random,
  SILENT_OBSERVER,
  type StateStore,
} from '../../../src/core/index.ts';
import {
  type Contact,
  createContact,
  decodeFrame,
  encodeRequest,
  encodeResponse,
  Kademlia,
  type KademliaEvents,
  type KademliaInit,
  type NodeMode,
  type Peer,
  type RecordRequestHandler,
  type Request,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, type NetworkConstants } from '../../../src/records/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** mulberry32: small, seeded, good enough to spread ids. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

export const EMPTY_HANDED: RecordRequestHandler = {
  findValue: async () => ({
    type: 'FIND_VALUE',
    closer: [],
    headers: [],
    value: undefined,
    settled: true,
    holder: true,
  }),
  store: async () => ({
    type: 'STORE',
    outcome: { kind: 'refused', reason: 'NOT_STORING' },
    newestSeq: 0,
    time: 0,
  }),
  sync: async () => ({ type: 'SYNC', parts: [], settled: true }),
  fetch: async () => ({ type: 'FETCH', records: [], more: false }),
  handOff: async (_, { records }) => ({ type: 'HAND_OFF', refusals: records.map(() => 'NOT_STORING' as const) }),
};

export interface MemoryNode {
  readonly kademlia: Kademlia;
  readonly transport: MemoryTransport;
  readonly address: string;
}

export interface NodeOptions {
  readonly mode?: NodeMode;
  readonly publicKey?: Uint8Array;
  readonly addresses?: readonly string[];
  readonly handler?: RecordRequestHandler;
  readonly events?: KademliaEvents;
  readonly observer?: Observer;
  readonly state?: StateStore;
  readonly init?: Partial<KademliaInit>;
}

export class MemoryNetwork {
  readonly clock = new ManualClock();
  readonly random: Random;
  readonly constants: NetworkConstants;
  readonly transports = new Map<string, MemoryTransport>();
  /** One way, ms. */
  latencyMs = 2;
  /** Of every node added from now on. The watch would meet and notice what most tests are not about. */
  init: Partial<KademliaInit> = { watchIntervals: { shortest: 1e9, longest: 1e9 } };
  /** Sides of a partition by hex id: who is on another one cannot be reached. Whoever is not named is on none. */
  readonly sides = new Map<string, number>();
  #count = 0;

  constructor(seed = 1, constants: Partial<NetworkConstants> = {}) {
    this.random = seededRandom(seed);
    this.constants = { ...DEFAULT_NETWORK_CONSTANTS, ...constants };
  }

  async addNode(options: NodeOptions = {}): Promise<MemoryNode> {
    this.#count++;
    const address = `/ip4/127.0.0.1/tcp/${10_000 + this.#count}`;
    const self = createContact(options.publicKey ?? this.random.bytes(32), options.addresses ?? [address]);
    const transport = new MemoryTransport(this, self, options.mode ?? 'server', address);
    const { clock, random, constants } = this;
    const { observer = SILENT_OBSERVER, state } = options;
    const kademlia = new Kademlia(
      { transport, clock, random, observer, state, constants },
      { ...this.init, ...options.init },
    );
    await kademlia.start(options.handler ?? EMPTY_HANDED, options.events);
    return { kademlia, transport, address };
  }

  /** `count` servers that know each other as well as joining one after the other makes them. */
  async addServers(count: number, introducer?: MemoryNode): Promise<MemoryNode[]> {
    const nodes: MemoryNode[] = [];
    for (let i = 0; i < count; i++) {
      const node = await this.addNode();
      const first = introducer ?? nodes[0];
      if (first !== undefined) await this.join(node, first);
      nodes.push(node);
    }
    return nodes;
  }

  /** A server beyond bucket 0 of `node` that `node` knows. With K = 2 the buckets farther away then have two places and no more. */
  async addNeighbour(node: MemoryNode): Promise<MemoryNode> {
    for (;;) {
      const publicKey = this.random.bytes(32);
      if (node.kademlia.table.bucketIndex(createContact(publicKey, []).id) === 0) continue;
      const neighbour = await this.addNode({ publicKey });
      await this.run(neighbour.kademlia.connect(node.address));
      return neighbour;
    }
  }

  /** Connections across break, as when a cable is cut: nobody is told goodbye. */
  cut(...sides: readonly (readonly MemoryNode[])[]): void {
    this.sides.clear();
    for (const [side, nodes] of sides.entries()) {
      for (const { kademlia } of nodes) this.sides.set(kademlia.self.id.hex, side);
    }
    for (const transport of this.transports.values()) {
      for (const { contact } of transport.peers()) {
        if (this.areApart(transport.self, contact)) transport.disconnect(contact, 'lost');
      }
    }
  }

  areApart(a: Contact, b: Contact): boolean {
    const [here, there] = [this.sides.get(a.id.hex), this.sides.get(b.id.hex)];
    return here !== undefined && there !== undefined && here !== there;
  }

  async join(node: MemoryNode, introducer: MemoryNode): Promise<void> {
    await this.run(node.kademlia.connect(introducer.address));
    await this.run(node.kademlia.bootstrap());
  }

  /** Lets time pass until the promise has settled, at most ten minutes of it. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    promise.then(mark, mark);
    const end = this.clock.monotonic() + 600_000;
    while (!isSettled && this.clock.monotonic() < end) await this.clock.advance(1);
    return promise;
  }

  delay(ms = this.latencyMs): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(ms, resolve);
    });
  }
}

export class MemoryTransport implements Transport {
  readonly self: Contact;
  readonly mode: NodeMode;
  readonly address: string;
  /** `dead` refuses connections, `hung` takes requests and says nothing. */
  state: 'alive' | 'dead' | 'hung' = 'alive';
  /** Requests that arrived here. */
  readonly received: Request[] = [];
  /** Instead of what the node would answer. */
  answerInstead: ((request: Request) => Response | undefined) | undefined;
  readonly #network: MemoryNetwork;
  readonly #peers = new Map<string, Peer>();
  #events: TransportEvents | undefined;

  constructor(network: MemoryNetwork, self: Contact, mode: NodeMode, address: string) {
    this.#network = network;
    this.self = self;
    this.mode = mode;
    this.address = address;
  }

  async start(events: TransportEvents): Promise<void> {
    this.#events = events;
    this.#network.transports.set(this.address, this);
  }

  async stop(): Promise<void> {
    this.state = 'dead';
    for (const peer of [...this.#peers.values()]) this.disconnect(peer.contact);
  }

  async request(to: Contact, request: Request, { timeoutMs, signal }: RequestOptions): Promise<Response> {
    const answer = this.#exchange(to, request);
    const { clock } = this.#network;
    return new Promise<Response>((resolve, reject) => {
      const timer = clock.setTimer(timeoutMs, () => reject(new NautilusError('TIMEOUT', 'no answer in time')));
      const onAbort = () => {
        timer.cancel();
        reject(new NautilusError('ABORTED', 'the caller gave up', { cause: signal?.reason }));
      };
      if (signal?.aborted) return onAbort();
      if (signal) setMaxListeners(0, signal); // all requests of a lookup share one
      signal?.addEventListener('abort', onAbort, { once: true });
      answer.then(resolve, reject).finally(() => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      });
    });
  }

  async connect(address: string, _options: RequestOptions): Promise<Peer> {
    await this.#network.delay();
    const other = this.#network.transports.get(address);
    const isApart = other !== undefined && this.#network.areApart(this.self, other.self);
    if (other === undefined || isApart || other.state === 'dead' || this.state === 'dead') {
      throw new NautilusError('PEER_UNREACHABLE', `nobody listens on ${address}`);
    }
    if (other.state === 'hung') return new Promise(() => undefined);
    other.#meet(this, 'inbound');
    return this.#meet(other, 'outbound');
  }

  peers(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  peer(id: Contact['id']): Peer | undefined {
    return this.#peers.get(id.hex);
  }

  disconnect(contact: Contact, cause: 'closed' | 'lost' = 'closed'): void {
    const peer = this.#peers.get(contact.id.hex);
    if (peer === undefined) return;
    this.#peers.delete(contact.id.hex);
    this.#events?.onPeerDisconnected(peer, cause);
    for (const other of this.#network.transports.values()) {
      if (other.self.id.equals(contact.id)) other.disconnect(this.self, cause);
    }
  }

  /** As by kill -9: nobody is told goodbye, connections break. */
  kill(): void {
    this.state = 'dead';
    for (const peer of [...this.#peers.values()]) this.disconnect(peer.contact, 'lost');
  }

  #meet(other: MemoryTransport, direction: Peer['direction']): Peer {
    const known = this.#peers.get(other.self.id.hex);
    if (known !== undefined) return known;
    const peer: Peer = { contact: other.self, mode: other.mode, direction };
    this.#peers.set(other.self.id.hex, peer);
    this.#events?.onPeerConnected(peer);
    return peer;
  }

  async #exchange(to: Contact, request: Request): Promise<Response> {
    const other = await this.#find(to);
    const sent = decodeFrame(encodeRequest(1, request));
    if (sent.kind !== 'request')
      throw new NautilusError('MALFORMED', `a request does not survive its codec: ${sent.kind}`);
    await this.#network.delay();
    other.received.push(sent.request);
    if (other.state === 'hung') return new Promise(() => undefined);
    const answer = other.answerInstead?.(sent.request) ?? (await other.#serve(this, sent.request));
    await this.#network.delay();
    if (other.state !== 'alive') throw new NautilusError('PEER_UNREACHABLE', 'the connection was lost');
    const got = decodeFrame(encodeResponse(1, answer), this.#network.constants);
    if (got.kind !== 'response') throw new NautilusError('MALFORMED', 'the answer breaks the protocol');
    return got.response;
  }

  /** The peer that is connected, or that answers at one of the addresses with the right identity. */
  async #find(to: Contact): Promise<MemoryTransport> {
    for (const address of to.addresses) {
      const other = this.#network.transports.get(address);
      if (other === undefined || !other.self.id.equals(to.id)) continue;
      if (this.peer(to.id) === undefined) await this.connect(address, { timeoutMs: 0 });
      if (other.state === 'dead') break;
      return other;
    }
    throw new NautilusError('PEER_UNREACHABLE', `no address of ${to.id.hex} works`);
  }

  async #serve(from: MemoryTransport, request: Request): Promise<Response> {
    const peer = this.#peers.get(from.self.id.hex);
    if (peer === undefined || this.#events === undefined) return { type: 'ERROR', code: 'INTERNAL' };
    return this.#events.onRequest(peer, request);
  }
}
