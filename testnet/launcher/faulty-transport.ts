/**
 * A Transport on bad lines: what a node of a testnet speaks through. TCP on loopback loses nothing and takes no time, so latency, loss and
 * partitions are made here, where a request is a frame there and a frame back, both at the end that asks: whoever answers answers at once. What is
 * sent is counted by purpose, as the simulator does. Connections that are open when a line is cut stay open, and silent; nobody opens new ones.
 */
import { type Clock, isNautilusError } from '../../src/core/index.ts';
import {
  type Contact,
  encodeHello,
  encodeRequest,
  encodeResponse,
  NodeId,
  type NodeMode,
  type Peer,
  PROTOCOL_VERSION,
  type Request,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../../src/kademlia/index.ts';
import { type NetworkConstants, parsePeerIdText } from '../../src/records/index.ts';
import {
  ANSWER_TO,
  type LatencyModel,
  PairFaults,
  type SeededRandom,
  scenarioLatency,
  Traffic,
} from '../simulator/index.ts';
import { FAIR_CONDITIONS, type NodeConditions } from './node-conditions.ts';
import { Trip } from './trip.ts';

export interface FaultyTransportComponents {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The node's own: what vanishes, and how long each frame takes. */
  readonly random: SeededRandom;
}

export interface FaultyTransportInit {
  /** The number of this node. */
  readonly number: number;
  /** Where the nodes are in the world follows from it; the same for all. */
  readonly seed: string;
  /** For the size of HELLO. */
  readonly constants: NetworkConstants;
}

/** Before the first request on a new connection: TCP, noise and HELLO, as in the simulator. */
const HANDSHAKE_ROUND_TRIPS = 3;
/** Any; it takes the bytes of one that has been used for a while. */
const REQUEST_ID = 1_000;

export class FaultyTransport implements Transport {
  readonly mode: NodeMode;
  /** What this node has sent. */
  readonly traffic = new Traffic();
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #init: FaultyTransportInit;
  // BOUNDED: by the nodes of the testnet. By node id in hex.
  #numbers: ReadonlyMap<string, number> = new Map();
  #faults = new PairFaults();
  #latency: LatencyModel = () => 0;
  #lossShare = 0;

  constructor({ transport, clock, random }: FaultyTransportComponents, init: FaultyTransportInit) {
    this.mode = transport.mode;
    this.#transport = transport;
    this.#clock = clock;
    this.#random = random;
    this.#init = init;
    this.setConditions(FAIR_CONDITIONS);
  }

  get self(): Contact {
    return this.#transport.self;
  }

  /** From now on; frames under way that a cut concerns do not arrive. */
  setConditions({ peerIds, latency, lossShare, groups, oneWay }: NodeConditions): void {
    this.#numbers = new Map(peerIds.map((peerId, number) => [idOf(peerId).hex, number]));
    this.#latency = latency === undefined ? () => 0 : scenarioLatency(latency, this.#init.seed);
    this.#lossShare = lossShare;
    this.#faults = new PairFaults();
    if (groups !== undefined) this.#faults.partition(groups);
    for (const { from, to } of oneWay) this.#faults.partitionOneWay(from, to);
  }

  start(events: TransportEvents): Promise<void> {
    return this.#transport.start({
      onPeerConnected: (peer) => {
        this.#countHello();
        events.onPeerConnected(peer);
      },
      onPeerChanged: (peer) => events.onPeerChanged(peer),
      onPeerDisconnected: (peer, cause) => events.onPeerDisconnected(peer, cause),
      onRequest: (from, request) => this.#serve(events, from, request),
    });
  }

  stop(): Promise<void> {
    return this.#transport.stop();
  }

  peers(): readonly Peer[] {
    return this.#transport.peers();
  }

  peer(id: Contact['id']): Peer | undefined {
    return this.#transport.peer(id);
  }

  async request(to: Contact, request: Request, options: RequestOptions): Promise<Response> {
    const number = this.#numbers.get(to.id.hex);
    const trip = new Trip(this.#clock, options);
    if (number !== undefined && this.peer(to.id) === undefined) await this.#shakeHands(number, trip);
    this.traffic.count(this.traffic.purposeOf(request), encodeRequest(REQUEST_ID, request).length);
    if (number === undefined) return this.#transport.request(to, request, trip.options);
    return this.#carry(number, trip, (left) => this.#transport.request(to, request, left));
  }

  async connect(address: string, options: RequestOptions): Promise<Peer> {
    const [, peerId] = /\/p2p\/([^/]+)$/.exec(address) ?? [];
    const id = peerId === undefined ? undefined : idOf(peerId);
    const number = id === undefined || this.peer(id) !== undefined ? undefined : this.#numbers.get(id.hex);
    if (number === undefined) return this.#transport.connect(address, options);
    const trip = new Trip(this.#clock, options);
    await this.#shakeHands(number, trip);
    return this.#transport.connect(address, trip.options);
  }

  /** There, whatever happens there, and back. */
  async #carry<T>(number: number, trip: Trip, work: (left: RequestOptions) => Promise<T>): Promise<T> {
    const own = this.#init.number;
    await this.#travel(own, number, trip);
    let result: T;
    try {
      result = await work(trip.options);
    } catch (error) {
      // That there is nobody is news too, and has to get here.
      if (!this.#faults.reaches(number, own)) await trip.silence();
      throw error;
    }
    await this.#travel(number, own, trip);
    return result;
  }

  /** A connection is made when frames get through both ways; nothing less opens one. */
  async #shakeHands(number: number, trip: Trip): Promise<void> {
    const own = this.#init.number;
    for (let i = 0; i < HANDSHAKE_ROUND_TRIPS; i++) {
      await this.#travel(own, number, trip);
      await this.#travel(number, own, trip);
    }
  }

  /** The way of one frame. Silence is all that is heard of one that does not arrive. */
  async #travel(from: number, to: number, trip: Trip): Promise<void> {
    if (!this.#faults.reaches(from, to) || this.#random.chance(this.#lossShare)) await trip.silence();
    const latencyMs = this.#latency(from, to, this.#random);
    if (latencyMs > 0) await trip.pass(latencyMs);
    if (!this.#faults.reaches(from, to)) await trip.silence();
  }

  async #serve(events: TransportEvents, from: Peer, request: Request): Promise<Response> {
    const purpose = ANSWER_TO[this.traffic.purposeOf(request)];
    const count = (response: Response) => this.traffic.count(purpose, encodeResponse(REQUEST_ID, response).length);
    try {
      const response = await events.onRequest(from, request);
      count(response);
      return response;
    } catch (error) {
      const isBusy = isNautilusError(error, 'RESOURCE_EXHAUSTED');
      count({ type: 'ERROR', code: isBusy ? 'RESOURCE_EXHAUSTED' : 'INTERNAL' });
      throw error;
    }
  }

  /** One per connection and end. */
  #countHello(): void {
    const { addresses } = this.self;
    const { constants } = this.#init;
    const time = this.#clock.now();
    const hello = { protocolVersion: PROTOCOL_VERSION, constants, mode: this.mode, addresses, features: [], time };
    this.traffic.count('HELLO', encodeHello(hello).length);
  }
}

function idOf(peerId: string): NodeId {
  return NodeId.fromPublicKey(parsePeerIdText(peerId));
}
