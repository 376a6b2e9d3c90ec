/**
 * The Transport over libp2p: one long-lived stream per peer, dialled when it is needed, HELLO first. Peers are known by the identity that their
 * handshake proved, never by what they say. Not here: streams (rpc-stream.ts), which of two wins (peer-link.ts), the host (create-libp2p.ts).
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { assert, type Clock, NautilusError, type Observer } from '../core/index.ts';
import {
  type Contact,
  encodeHello,
  type Hello,
  NodeId,
  type NodeMode,
  type Peer,
  PROTOCOL_VERSION,
  type Request,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../kademlia/index.ts';
import { abortedError, Call } from './call.ts';
import type { Libp2pHost } from './create-libp2p.ts';
import { Deadlines } from './deadlines.ts';
import { dialError, isProtocolMissing } from './dial-error.ts';
import { type DialTarget, nameOf, parseDialTarget, toMultiaddrs } from './dial-target.ts';
import { FairShare } from './fair-share.ts';
import { helloMismatch, type NetworkConstants, otherNetwork, protocolId } from './hello.ts';
import type { NetworkLimits } from './network-limits.ts';
import { believableAddresses, NodeAddresses } from './node-addresses.ts';
import { OpenConnections } from './open-connections.ts';
import { Opening } from './opening.ts';
import { identityAt, type RemoteIdentity, toPeerId, toPublicKey } from './peer-id.ts';
import { PeerLink } from './peer-link.ts';
import { RpcStream, type RpcStreamOwner, type RpcStreamServices } from './rpc-stream.ts';
import { settleWithin } from './settle-within.ts';
import { Turn } from './turn.ts';
import { Visit } from './visit.ts';

export interface Libp2pTransportInit {
  readonly constants: NetworkConstants;
  readonly mode: NodeMode;
  /** Multiaddrs told to everybody instead of those it listens on, without `/p2p/…`. */
  readonly announce: readonly string[];
  /** Optional request types this build answers. */
  readonly features: readonly string[];
  readonly limits: NetworkLimits;
}

export interface Libp2pTransportComponents {
  readonly host: Libp2pHost;
  readonly clock: Clock;
  readonly observer: Observer;
}

const MAX_OPENINGS = 1_000;
/** A call that streams handed back so often has met something else than a crossing. */
const MAX_MOVES = 3;
/** What is under way may finish when the node stops. */
const STOP_GRACE_MS = 1_000;
const STOP_LIMIT_MS = 3_000;

export class Libp2pTransport implements Transport, RpcStreamOwner {
  readonly mode: NodeMode;
  /** For other uses of the same host in this room. */
  readonly libp2p: Libp2p;
  readonly #init: Libp2pTransportInit;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #addresses: NodeAddresses;
  readonly #protocol: string;
  readonly #services: RpcStreamServices;
  readonly #connections: OpenConnections;
  // BOUNDED: limits.maxConnections, beyond it only those that are in use.
  readonly #links = new Map<string, PeerLink>();
  // BOUNDED: MAX_OPENINGS. By node id in hex, or by address while the id is not known.
  readonly #openings = new Map<string, Opening>();
  // BOUNDED: as the openings.
  readonly #openingOf = new Map<RpcStream, Opening>();
  // BOUNDED: by libp2p's maxConnections, a few per connection.
  readonly #streams = new Set<RpcStream>();
  #self: Contact;
  #events: TransportEvents | undefined;
  #onStarted: () => void = () => undefined;
  readonly #started: Promise<void>;
  #isStopped = false;
  #onQuiet: () => void = () => undefined;

  constructor({ host, clock, observer }: Libp2pTransportComponents, init: Libp2pTransportInit) {
    const { limits, constants, announce } = init;
    this.mode = init.mode;
    this.libp2p = host.libp2p;
    this.#init = init;
    this.#clock = clock;
    this.#observer = observer;
    this.#protocol = protocolId(constants.network);
    this.#addresses = new NodeAddresses({ listenAddresses: () => host.listenAddresses(), announce, clock });
    const publicKey = toPublicKey(host.libp2p.peerId);
    this.#self = { id: NodeId.fromPublicKey(publicKey), publicKey, addresses: this.#addresses.all() };
    const deadlines = new Deadlines(clock);
    this.#services = {
      clock,
      deadlines,
      turn: new Turn(),
      share: new FairShare(clock, limits),
      limits,
      wireLimits: constants,
    };
    this.#connections = new OpenConnections(host.libp2p, deadlines, limits.patienceMs);
    this.#started = new Promise((resolve) => {
      this.#onStarted = resolve;
    });
  }

  /** Accepts streams from now on; those that come before `start` wait for it. */
  async listen(): Promise<void> {
    await this.libp2p.handle(this.#protocol, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: 4,
      maxOutboundStreams: 4,
    });
  }

  get self(): Contact {
    const addresses = this.#addresses.all();
    if (addresses !== this.#self.addresses) this.#self = { ...this.#self, addresses };
    return this.#self;
  }

  async start(events: TransportEvents): Promise<void> {
    assert(this.#events === undefined, 'a transport starts once');
    this.#events = events;
    this.#onStarted();
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const { deadlines } = this.#services;
    const error = new NautilusError('ABORTED', 'the node is stopping');
    for (const opening of this.#openings.values()) opening.fail(error);
    for (const link of [...this.#links.values()]) this.#dropLink(link, 'closed');
    for (const stream of [...this.#streams]) stream.stop(error);
    const quiet = new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
    if (this.#streams.size > 0) await settleWithin(this.#clock, STOP_GRACE_MS, quiet);
    for (const stream of [...this.#streams]) stream.abort('the node is stopping');
    await settleWithin(this.#clock, STOP_LIMIT_MS, Promise.resolve(this.libp2p.stop()));
    deadlines.clear();
  }

  request(to: Contact, request: Request, options: RequestOptions): Promise<Response> {
    if (this.#isStopped) return Promise.reject(new NautilusError('ABORTED', 'the node has stopped'));
    if (options.signal?.aborted) return Promise.reject(abortedError(options.signal));
    return new Promise((resolve, reject) => {
      this.#dispatch(new Call(to, request, options, this.#services.deadlines, resolve, reject));
    });
  }

  async connect(address: string, options: RequestOptions): Promise<Peer> {
    if (this.#isStopped) throw new NautilusError('ABORTED', 'the node has stopped');
    if (options.signal?.aborted) throw abortedError(options.signal);
    const target = parseDialTarget(address);
    const { id } = target;
    const link = id === undefined ? undefined : this.#links.get(id.hex);
    if (link !== undefined) return link.peer;
    const opening = this.#openingTo(id?.hex ?? address, target);
    if (opening === undefined) throw tooManyDials();
    return new Promise((resolve, reject) => {
      new Visit(opening, options, this.#services.deadlines, resolve, reject);
    });
  }

  peers(): readonly Peer[] {
    return Array.from(this.#links.values(), (link) => link.peer);
  }

  peer(id: NodeId): Peer | undefined {
    return this.#links.get(id.hex)?.peer;
  }

  #dispatch(call: Call): void {
    const link = this.#links.get(call.to.id.hex);
    if (link?.current !== undefined) {
      this.#services.share.use(link.account);
      link.current.send(call);
      return;
    }
    const { id, publicKey, addresses } = call.to;
    const opening = this.#openingTo(id.hex, { id, publicKey, addresses });
    if (opening === undefined || opening.size >= this.#init.limits.maxInFlight) call.reject(tooManyDials());
    else opening.addCall(call);
  }

  /** The dial under way to this target, or a new one. */
  #openingTo(key: string, target: DialTarget): Opening | undefined {
    const known = this.#openings.get(key);
    if (known !== undefined) return known;
    if (this.#openings.size >= MAX_OPENINGS) return undefined;
    const opening = new Opening(() => this.#openings.delete(key));
    this.#openings.set(key, opening);
    void this.#open(opening, target);
    return opening;
  }

  /** Never rejects: who waits is told. */
  async #open(opening: Opening, target: DialTarget): Promise<void> {
    try {
      if (await this.#openOnExisting(opening, target)) return;
      const connection = await this.libp2p.dial(toMultiaddrs(target), { signal: opening.signal, force: true });
      const link = this.#links.get(identityAt(connection).id.hex);
      if (target.id === undefined && link?.current !== undefined) {
        this.#succeed(opening, link); // only now we know who it is, and we are connected already
        await connection.close();
      } else await this.#openStream(opening, connection);
    } catch (error) {
      opening.fail(
        isProtocolMissing(error)
          ? otherNetwork(this.#init.constants.network, nameOf(target))
          : dialError(error, nameOf(target)),
      );
    }
  }

  /** A connection may be there without a stream: the peer's own dial is about to open one, or a broken stream was closed. */
  async #openOnExisting(opening: Opening, { publicKey }: DialTarget): Promise<boolean> {
    if (publicKey === undefined) return false;
    const connection = this.libp2p.getConnections(toPeerId(publicKey)).find(({ status }) => status === 'open');
    if (connection === undefined) return false;
    try {
      await this.#openStream(opening, connection);
      return true;
    } catch (error) {
      if (isProtocolMissing(error)) throw error;
      // It is being closed by the other side, or it is dead and nobody noticed.
      connection.abort(error instanceof Error ? error : new Error(String(error)));
      if (opening.signal.aborted) throw error;
      return false;
    }
  }

  async #openStream(opening: Opening, connection: Connection): Promise<void> {
    const identity = identityAt(connection);
    this.#connections.addStream(connection); // already now: an unused connection would be closed
    let stream: Stream;
    try {
      stream = await connection.newStream(this.#protocol, { signal: opening.signal });
      if (stream.status !== 'open') throw new Error('the stream was reset');
    } catch (error) {
      this.#connections.removeStream(connection, isProtocolMissing(error));
      throw error;
    }
    const rpc = this.#createStream(stream, connection, identity);
    this.#openingOf.set(rpc, opening);
    rpc.write(this.#hello(connection));
  }

  /** The peer opened a stream to us. */
  async #onStream(stream: Stream, connection: Connection): Promise<void> {
    if (this.#events === undefined) await this.#started;
    if (stream.status !== 'open') return;
    try {
      const identity = identityAt(connection);
      this.#connections.addStream(connection);
      this.#createStream(stream, connection, identity);
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error))); // no identity of ours
    }
  }

  #createStream(stream: Stream, connection: Connection, identity: RemoteIdentity): RpcStream {
    const rpc = new RpcStream(stream, connection, identity, this.#services, this);
    this.#streams.add(rpc);
    return rpc;
  }

  onHello(stream: RpcStream, hello: Hello): void {
    const told = believableAddresses(hello.addresses, stream.connection.remoteAddr.toString());
    if (stream.peer !== undefined) {
      const link = this.#links.get(stream.remote.id.hex);
      if (link?.update(hello, told)) this.#events?.onPeerChanged(link.peer);
      return;
    }
    const mismatch = this.#isStopped
      ? new NautilusError('ABORTED', 'the node is stopping')
      : helloMismatch(this.#init.constants, hello);
    // Who opened the stream hears ours in either case: it tells why, when the stream is closed next.
    if (!stream.isOurs) stream.write(this.#hello(stream.connection));
    if (mismatch === undefined) this.#accept(stream, hello, told);
    else {
      this.#openingOf.get(stream)?.fail(mismatch);
      stream.retire();
    }
  }

  onRequest(from: Peer, request: Request): Promise<Response> {
    assert(this.#events !== undefined, 'streams are read after start()');
    return this.#events.onRequest(from, request);
  }

  onMisbehaved(stream: RpcStream, reason: string): void {
    this.#observer.notify({ type: 'peer-misbehaved', nodeId: stream.remote.id.hex, reason });
  }

  onSilent(stream: RpcStream): void {
    stream.connection.abort(new Error('the peer has not answered for long'));
  }

  onEnded(
    stream: RpcStream,
    calls: readonly Call[],
    { unserved, error }: { unserved: boolean; error: NautilusError },
  ): void {
    this.#openingOf.get(stream)?.fail(stream.peer === undefined ? endedBeforeHello(error) : error);
    const { hex } = stream.remote.id;
    const link = this.#links.get(hex);
    link?.remove(stream);
    if (link !== undefined && link.current === undefined) this.#dropLink(link, unserved ? 'closed' : 'lost');
    for (const call of calls) {
      // Sent again if that is safe to hope for: the peer did not serve it, or it is still there on another stream.
      const mayMove = !this.#isStopped && call.moves < MAX_MOVES && (unserved || this.#links.has(hex));
      if (!mayMove) call.reject(error);
      else {
        call.moves++;
        this.#dispatch(call);
      }
    }
  }

  onClosed(stream: RpcStream): void {
    this.#streams.delete(stream);
    this.#openingOf.delete(stream);
    this.#connections.removeStream(stream.connection, !stream.hasMisbehaved);
    if (this.#streams.size === 0) this.#onQuiet();
  }

  #accept(stream: RpcStream, hello: Hello, addresses: readonly string[]): void {
    const { id, publicKey } = stream.remote;
    let link = this.#links.get(id.hex);
    const remoteAddress = stream.connection.remoteAddr.toString();
    const isNew = link === undefined;
    if (link === undefined) {
      const direction = stream.isOurs ? 'outbound' : 'inbound';
      const peer: Peer = { contact: { id, publicKey, addresses }, mode: hello.mode, direction, remoteAddress };
      link = new PeerLink(this.#self.id, peer, this.#services.share.createAccount());
      this.#links.set(id.hex, link);
    }
    const hasChanged = link.update(hello, addresses);
    stream.accept(link.peer, link.account);
    link.add(stream);
    if (isNew) this.#events?.onPeerConnected(link.peer);
    else if (hasChanged) this.#events?.onPeerChanged(link.peer);
    const opening = this.#openingOf.get(stream);
    if (opening !== undefined) this.#succeed(opening, link);
    // The peer dialled us while we dial it: nobody has to wait for ours.
    const crossing = this.#openings.get(id.hex);
    if (crossing !== undefined) this.#succeed(crossing, link);
    this.#closeLeastUsed(link);
  }

  #succeed(opening: Opening, link: PeerLink): void {
    for (const call of opening.succeed(link)) this.#dispatch(call);
  }

  #hello(connection: Connection): Uint8Array {
    const { constants, features } = this.#init;
    const addresses = this.mode === 'client' ? [] : this.#addresses.toldTo(connection.remoteAddr.toString());
    return encodeHello({
      protocolVersion: PROTOCOL_VERSION,
      constants,
      mode: this.mode,
      addresses,
      features,
      time: this.#clock.now(),
    });
  }

  #closeLeastUsed(newest: PeerLink): void {
    if (this.#links.size <= this.#init.limits.maxConnections) return;
    let oldest: PeerLink | undefined;
    for (const link of this.#links.values()) {
      if (link === newest || !link.isIdle) continue;
      if (oldest === undefined || link.account.lastUsed < oldest.account.lastUsed) oldest = link;
    }
    if (oldest !== undefined) this.#dropLink(oldest, 'closed');
  }

  /** No calls go there any more; what is under way may end. */
  #dropLink(link: PeerLink, cause: 'closed' | 'lost'): void {
    const { peer } = link;
    const { hex } = peer.contact.id;
    if (this.#links.get(hex) !== link) return;
    this.#links.delete(hex);
    link.retire();
    this.#events?.onPeerDisconnected(peer, cause);
  }
}

function endedBeforeHello(cause: NautilusError): NautilusError {
  return new NautilusError('PEER_UNREACHABLE', 'the peer closed the connection before it said who it is', { cause });
}

function tooManyDials(): NautilusError {
  return new NautilusError('RESOURCE_EXHAUSTED', 'too many connections are being made: try again in a moment');
}
