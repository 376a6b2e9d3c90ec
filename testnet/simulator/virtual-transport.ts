/**
 * The transport of a simulated node: the real codec over the virtual network, with the same promises as the one over libp2p. Identities need
 * no handshake here: who is at the other end of a connection is known, as if it had been proven. Not here: latency and faults (virtual-network.ts).
 */
import { assert, NautilusError, type Observer } from '../../src/core/index.ts';
import { expectIdentities } from '../../src/kademlia/identity-cache.ts';
import {
  type Contact,
  createContact,
  type DecodedFrame,
  decodeFrame,
  encodeHello,
  type Hello,
  type NodeMode,
  type Peer,
  PROTOCOL_VERSION,
  type Request,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../../src/kademlia/index.ts';
import { expectRangesOf } from '../../src/records/cell-range.ts';
import type { NetworkConstants } from '../../src/records/index.ts';
import type { NodeClock } from './node-clock.ts';
import { sameConstants } from './same-constants.ts';
import type { FramePurpose, RequestPurpose } from './traffic.ts';
import type { CloseCause, ConnectionHandler, Endpoint, Link } from './virtual-link.ts';
import type { VirtualNetwork } from './virtual-network.ts';
import { type DialTarget, type EndReason, type SessionOwner, VirtualSession } from './virtual-session.ts';

/** Names a machine of the virtual network by its connection: stands for the proof of identity in a real handshake. */
export type IdentityAt = (endpoint: Endpoint) => Contact;

export interface VirtualTransportComponents {
  readonly network: VirtualNetwork;
  readonly clock: NodeClock;
  readonly observer: Observer;
  readonly identityAt: IdentityAt;
}

export interface VirtualTransportInit {
  /** The node's number in its world. */
  readonly number: number;
  readonly self: Contact;
  readonly mode: NodeMode;
  readonly constants: NetworkConstants;
  readonly features?: readonly string[];
  /** Open connections; over it the least recently used idle one is closed. @default 300, as over libp2p */
  readonly maxConnections?: number | undefined;
}

/** Sessions picked at a time for being closed: to search all of them for each would cost more than the dial it makes room for. */
const CLOSING_BATCH = 32;

export class VirtualTransport implements Transport, ConnectionHandler, SessionOwner {
  readonly self: Contact;
  readonly mode: NodeMode;
  readonly endpoint: Endpoint;
  readonly clock: NodeClock;
  readonly #components: VirtualTransportComponents;
  readonly #constants: NetworkConstants;
  readonly #features: readonly string[];
  readonly #maxConnections: number;
  // BOUNDED: maxConnections open ones, and dials, each of which somebody waits for. By node id in hex; dials to an unknown identity are only below.
  readonly #sessions = new Map<string, VirtualSession>();
  // BOUNDED: by what the node's bootstrap dials at once.
  readonly #anonymousDials = new Set<VirtualSession>();
  // BOUNDED: CLOSING_BATCH. The least recently used when they were picked, most recently used first.
  #closing: { readonly session: VirtualSession; readonly lastUse: number }[] = [];
  #uses = 0;
  #events: TransportEvents | undefined;
  #isStopped = false;

  constructor(components: VirtualTransportComponents, init: VirtualTransportInit) {
    const address = init.self.addresses[0];
    assert(address !== undefined, 'a simulated node has an address');
    expectIdentities(init.number + 1);
    expectRangesOf(init.number + 1);
    this.#components = components;
    this.clock = components.clock;
    this.self = init.self;
    this.mode = init.mode;
    this.#constants = init.constants;
    this.#features = init.features ?? [];
    this.#maxConnections = init.maxConnections ?? 300;
    this.endpoint = components.network.attach(init.number, address, this);
  }

  async start(events: TransportEvents): Promise<void> {
    assert(this.#events === undefined, 'a transport starts once');
    this.#events = events;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const session of this.#all()) {
      this.#drop(session, { code: 'ABORTED', message: 'the node is stopping' });
    }
    this.#components.network.kill(this.endpoint);
  }

  peers(): readonly Peer[] {
    return [...this.#sessions.values()].filter((session) => session.isOpen);
  }

  peer(id: Contact['id']): Peer | undefined {
    const session = this.#sessions.get(id.hex);
    return session?.isOpen ? session : undefined;
  }

  request(to: Contact, request: Request, options: RequestOptions): Promise<Response> {
    if (this.#isStopped) return Promise.reject(new NautilusError('ABORTED', 'the node has stopped'));
    const known = this.#sessions.get(to.id.hex);
    if (known !== undefined) return known.request(request, options);
    const [address, ...others] = to.addresses;
    if (address === undefined) {
      return Promise.reject(
        new NautilusError('PEER_UNREACHABLE', 'the peer is not connected and has no known address'),
      );
    }
    return this.#dial({ address, others, expected: to.id.hex }).request(request, options);
  }

  connect(address: string, options: RequestOptions): Promise<Peer> {
    if (this.#isStopped) return Promise.reject(new NautilusError('ABORTED', 'the node has stopped'));
    const target = address.replace(/\/p2p\/[^/]+$/, '');
    const known = this.#all().find(({ dial, remoteAddress }) => (dial?.address ?? remoteAddress) === target);
    return (known ?? this.#dial({ address: target, others: [], expected: undefined })).opened(options);
  }

  onFrame(link: Link, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes, this.#constants);
    const session = this.#sessionOf(link);
    if (session === undefined) this.#onDial(link, frame);
    else if (session.isOpen) this.#onMessage(session, frame);
    else this.#onAnswer(session, frame);
  }

  onLinkClosed(link: Link, cause: CloseCause): void {
    const session = this.#sessionOf(link);
    if (session === undefined) return;
    const [address, ...others] = session.dial?.others ?? [];
    if (session.dial !== undefined && address !== undefined) {
      this.#redial(session, { ...session.dial, address, others });
    } else if (session.isOpen && cause === 'closed' && session.keepMovable()) {
      this.#dialAgain(session);
    } else this.#drop(session, { code: 'PEER_UNREACHABLE', message: 'the connection was refused or lost' }, cause);
  }

  /** Who closes a connection serves nobody on it: what was on its way there is sent again, as over libp2p. */
  #dialAgain(session: VirtualSession): void {
    const { id, addresses } = session.contact;
    const [address, ...others] = addresses;
    assert(address !== undefined, 'a simulated node has an address');
    this.#redial(session, { address, others, expected: id.hex });
    this.#events?.onPeerDisconnected(session, 'closed');
  }

  /** Those who wait for the session wait for this dial. */
  #redial(session: VirtualSession, target: DialTarget): void {
    session.dial = target;
    this.#moveTo(session, this.#components.network.dial(this.endpoint, target.address, this.#hello()));
  }

  /** For its sessions alone. */
  send(session: VirtualSession, frame: Uint8Array, purpose: FramePurpose): void {
    this.#components.network.send(session.link, this.endpoint, frame, purpose);
  }

  /** For its sessions alone. */
  nextUse(): number {
    return ++this.#uses;
  }

  /** For its sessions alone. */
  purposeOf(request: Request): RequestPurpose {
    return this.#components.network.traffic.purposeOf(request);
  }

  /** For its sessions alone. */
  onUnwanted(session: VirtualSession): void {
    this.#drop(session, { code: 'TIMEOUT', message: 'nobody waits for this connection any more' });
  }

  #dial(target: DialTarget): VirtualSession {
    const link = this.#components.network.dial(this.endpoint, target.address, this.#hello());
    const session = this.#createSession(link, target);
    if (target.expected === undefined) this.#anonymousDials.add(session);
    else this.#sessions.set(target.expected, session);
    return session;
  }

  #createSession(link: Link, dial: DialTarget | undefined): VirtualSession {
    const session = new VirtualSession(this, link, dial);
    this.#assign(link, session);
    return session;
  }

  /** Every connection, dials included, in the order in which they began. */
  #all(): VirtualSession[] {
    return [...this.endpoint.links].flatMap((link) => this.#sessionOf(link) ?? []);
  }

  #sessionOf(link: Link): VirtualSession | undefined {
    return link.sessionOf(this.endpoint) as VirtualSession | undefined; // nobody else writes there
  }

  #assign(link: Link, session: VirtualSession | undefined): void {
    link.setSession(this.endpoint, session);
  }

  /** Somebody dialled us. */
  #onDial(link: Link, frame: DecodedFrame): void {
    const { network, identityAt } = this.#components;
    if (this.#events === undefined || frame.kind !== 'hello') {
      network.close(link, this.endpoint);
      return;
    }
    if (this.#mismatch(frame.hello) !== undefined) {
      // Our HELLO tells the dialler why; it closes the connection.
      network.send(link, this.endpoint, this.#hello(), 'HELLO');
      return;
    }
    const identity = identityAt(link.dialler);
    const { hex } = identity.id;
    const former = this.#sessions.get(hex);
    const isCrossing = former !== undefined && !former.isOpen;
    // Both dialled at once: the one opened by the smaller id is used. The other end decides alike, and closes the loser.
    if (isCrossing && this.self.id.hex < hex) return;
    if (isCrossing) network.close(former.link, this.endpoint);
    else if (former !== undefined) this.#drop(former, { code: 'PEER_UNREACHABLE', message: 'the peer connected anew' });
    const session = isCrossing ? former : this.#createSession(link, undefined);
    if (isCrossing) this.#moveTo(session, link);
    network.send(link, this.endpoint, this.#hello(), 'HELLO');
    this.#open(session, identity, frame.hello);
    this.#adoptDials(session, link.dialler.address);
  }

  /** The peer we dialled speaks for the first time. */
  #onAnswer(session: VirtualSession, frame: DecodedFrame): void {
    if (frame.kind !== 'hello') {
      this.#drop(session, { code: 'MALFORMED', message: 'the peer did not begin with HELLO' });
      return;
    }
    const { link } = session;
    assert(link.acceptor !== undefined, 'who answers has accepted');
    const identity = this.#components.identityAt(link.acceptor);
    const mismatch = this.#mismatch(frame.hello);
    if (mismatch !== undefined) this.#drop(session, mismatch);
    else if (identity.id.hex !== (session.dial?.expected ?? identity.id.hex)) {
      this.#drop(session, { code: 'PEER_UNREACHABLE', message: 'another identity answered there' });
    } else this.#open(session, identity, frame.hello);
  }

  #onMessage(session: VirtualSession, frame: DecodedFrame): void {
    switch (frame.kind) {
      case 'hello': {
        const { addresses, mode } = frame.hello;
        const { publicKey, addresses: former } = session.contact;
        if (addresses.join() === former.join()) return; // a duplicate
        session.greet(createContact(publicKey, addresses), mode);
        this.#events?.onPeerChanged(session);
        return;
      }
      case 'response':
        if (!session.onResponse(frame.requestId, frame.response)) this.#misbehaved(session, 'answer of another type');
        return;
      case 'request': {
        const { requestId, request } = frame;
        assert(this.#events !== undefined, 'connections come after start()');
        const events = this.#events;
        void session.serve(requestId, this.purposeOf(request), () => events.onRequest(session, request));
        return;
      }
      case 'unsupported':
        session.answer(frame.requestId, 'PING', { type: 'ERROR', code: 'UNSUPPORTED' });
        return;
      case 'refused': {
        const outcome = { kind: 'refused', reason: frame.reason } as const;
        const time = this.#components.clock.now();
        session.answer(frame.requestId, 'STORE', { type: 'STORE', outcome, newestSeq: 0, time });
        return;
      }
      case 'invalid':
        this.#misbehaved(session, frame.reason);
    }
  }

  #misbehaved(session: VirtualSession, reason: string): void {
    this.#components.observer.notify({ type: 'peer-misbehaved', nodeId: session.contact.id.hex, reason });
    this.#drop(session, { code: 'MALFORMED', message: `the peer broke the protocol: ${reason}` });
  }

  #open(session: VirtualSession, { id, publicKey }: Contact, { addresses, mode }: Hello): void {
    const former = this.#sessions.get(id.hex);
    if (former?.isOpen && former !== session) {
      this.#drop(former, { code: 'PEER_UNREACHABLE', message: 'the peer connected anew' });
    }
    this.#sessions.set(id.hex, session);
    this.#anonymousDials.delete(session);
    this.#closeLeastUsed();
    session.greet(createContact(publicKey, addresses), mode);
    assert(this.#events !== undefined, 'connections come after start()');
    this.#events.onPeerConnected(session);
    session.sendWaiting();
  }

  /** A dial to an address, made before we knew who is there, that the peer's own dial has overtaken. */
  #adoptDials(session: VirtualSession, address: string): void {
    for (const other of this.#anonymousDials) {
      if (other.dial?.address !== address) continue;
      session.adopt(other);
      this.#drop(other, { code: 'PEER_UNREACHABLE', message: 'the peer dialled us first' });
    }
  }

  #closeLeastUsed(): void {
    if (this.#sessions.size <= this.#maxConnections) return;
    for (;;) {
      if (this.#closing.length === 0) this.#pickLeastUsed();
      const picked = this.#closing.pop();
      if (picked === undefined) return; // nobody is idle
      const { session, lastUse } = picked;
      if (session.lastUse !== lastUse || !session.isIdle || this.#sessionOf(session.link) !== session) continue;
      this.#drop(session, { code: 'PEER_UNREACHABLE', message: 'too many connections' });
      return;
    }
  }

  #pickLeastUsed(): void {
    const idle: { session: VirtualSession; lastUse: number }[] = [];
    for (const session of this.#sessions.values()) {
      if (session.isIdle && session.isOpen) idle.push({ session, lastUse: session.lastUse });
    }
    this.#closing = idle.sort((a, b) => b.lastUse - a.lastUse).slice(-CLOSING_BATCH);
  }

  /** The connection ends, for everybody who waits for it. */
  #drop(session: VirtualSession, reason: EndReason, cause: CloseCause = 'closed'): void {
    const { link, isOpen } = session;
    this.#assign(link, undefined);
    this.#anonymousDials.delete(session);
    const hex = isOpen ? session.contact.id.hex : session.dial?.expected;
    if (hex !== undefined && this.#sessions.get(hex) === session) this.#sessions.delete(hex);
    this.#components.network.close(link, this.endpoint);
    session.end(reason);
    if (isOpen) this.#events?.onPeerDisconnected(session, cause);
  }

  #moveTo(session: VirtualSession, link: Link): void {
    this.#assign(session.link, undefined);
    session.link = link;
    this.#assign(link, session);
  }

  #mismatch({ protocolVersion, constants }: Hello): EndReason | undefined {
    if (protocolVersion === PROTOCOL_VERSION && sameConstants(constants, this.#constants)) return undefined;
    return {
      code: 'NETWORK_MISMATCH',
      message: `the peer belongs to network ${constants.network} or has other constants`,
    };
  }

  #hello(): Uint8Array {
    return encodeHello({
      protocolVersion: PROTOCOL_VERSION,
      constants: this.#constants,
      mode: this.mode,
      addresses: this.self.addresses,
      features: this.#features,
      time: this.#components.clock.now(),
    });
  }
}
