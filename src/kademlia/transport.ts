/**
 * The seam between the protocol and whatever carries it: libp2p streams in `network`, a virtual network in the simulator. Everything above is
 * the same code in both. Implementations send frames through codec.ts and bound every queue.
 */
import type { Contact } from './contact.ts';
import type { NodeMode, Request, Response } from './messages.ts';

/** A connected peer after HELLO: its identity is proven by the transport's handshake. */
export interface Peer {
  readonly contact: Contact;
  readonly mode: NodeMode;
  /** Who opened the connection we use. */
  readonly direction: 'inbound' | 'outbound';
  /** The other end of the connection, multiaddr as text, if the transport knows: it decides which addresses of others this peer is told. */
  readonly remoteAddress?: string | undefined;
}

export interface RequestOptions {
  /** Covers dialling, queueing and the answer. */
  readonly timeoutMs: number;
  /** Often shared by many requests: all those of one lookup. */
  readonly signal?: AbortSignal | undefined;
}

export interface TransportEvents {
  /** HELLO was exchanged. Called before any request of this peer is served; `peer(id)` knows it already. */
  onPeerConnected(peer: Peer): void;
  /** HELLO came again, with other addresses or another mode. */
  onPeerChanged(peer: Peer): void;
  /**
   * `lost`: the connection broke without either side having closed it, so the peer may be dead. Say it only when it is known: it has the peer
   * asked at once, and everybody who was connected to a killed node forgets it within a round trip.
   * `peer(id)` knows it no more.
   * @param cause @default 'closed'
   */
  onPeerDisconnected(peer: Peer, cause?: 'closed' | 'lost'): void;
  /** Serves one request. A rejection is answered `INTERNAL`; a `NautilusError` `RESOURCE_EXHAUSTED` as such. */
  onRequest(from: Peer, request: Request): Promise<Response>;
}

export interface Transport {
  /** This node as others see it. Addresses may change while it runs. */
  readonly self: Contact;
  readonly mode: NodeMode;

  /** Called once, before the first connection. */
  start(events: TransportEvents): Promise<void>;
  /** Refuses new work, closes connections, resolves within a bounded time. */
  stop(): Promise<void>;

  /**
   * One request, one answer, over the peer's connection or a new one. The answer's `type` matches the request's.
   * @throws NautilusError `PEER_UNREACHABLE` (no address works, connection lost, or another identity answered there), `TIMEOUT`, `ABORTED`,
   *   `RESOURCE_EXHAUSTED` (own queue for this peer is full, or it said so), `UNSUPPORTED`, `MALFORMED`, `NETWORK_MISMATCH`
   */
  request(to: Contact, request: Request, options: RequestOptions): Promise<Response>;

  /**
   * Dials an address of a peer not known yet (multiaddr as text, with or without `/p2p/…`) and exchanges HELLO.
   * @throws NautilusError as `request`, and `ADDRESS_INVALID`
   */
  connect(address: string, options: RequestOptions): Promise<Peer>;

  /** Peers with an open connection. */
  peers(): readonly Peer[];
  /** The one with this id, if there is an open connection to it. */
  peer(id: Contact['id']): Peer | undefined;
}
