/**
 * One connection as one of its ends sees it: the peer that is there, the requests that wait for it to open or for an answer, and the ones being served.
 * Not here: dialling and which of two connections is used (virtual-transport.ts).
 */
import { assert, type ErrorCode, isNautilusError, NautilusError } from '../../src/core/index.ts';
import {
  type Contact,
  encodeRequest,
  encodeResponse,
  MAX_REQUEST_ID,
  type NodeMode,
  type Peer,
  type Request,
  type RequestOptions,
  type Response,
} from '../../src/kademlia/index.ts';
import { type NodeClock, NodeTimer } from './node-clock.ts';
import { type AbortListener, offAbort, onAbort } from './on-abort.ts';
import { ANSWER_TO, type FramePurpose, type RequestPurpose } from './traffic.ts';
import type { Endpoint, Link } from './virtual-link.ts';

/** Requests one peer may have waiting here, either way; more are `RESOURCE_EXHAUSTED`. */
const MAX_IN_FLIGHT = 256;

/** So often a request is sent again because the peer closed the connection before it came, as over libp2p. */
const MAX_MOVES = 3;

/** The transport whose connection it is. One object for all of a node's sessions: there are millions of them in a large world. */
export interface SessionOwner {
  readonly endpoint: Endpoint;
  readonly clock: NodeClock;
  /** Counts up: whose use was the last. A number for the order, because a time would be an object of its own. */
  nextUse(): number;
  send(session: VirtualSession, frame: Uint8Array, purpose: FramePurpose): void;
  purposeOf(request: Request): RequestPurpose;
  /** The last one who waited for the connection to open gave up. */
  onUnwanted(session: VirtualSession): void;
}

/** What a dial aims at. */
export interface DialTarget {
  readonly address: string;
  /** Others to try when the dial is refused. */
  readonly others: readonly string[];
  /** Node id in hex, when it is known who should answer. */
  readonly expected: string | undefined;
}

/** Why a connection is no more. Not an error yet: nobody waits at most of them, and a stack takes longer to write down than a frame to send. */
export interface EndReason {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Somebody who waits for the connection (no request) or for an answer: also the deadline for it, and the ear for the caller's abort. */
class Waiter extends NodeTimer implements AbortListener {
  readonly id: number;
  readonly request: Request | undefined;
  moves = 0;
  readonly #session: VirtualSession;
  readonly #options: RequestOptions;
  readonly #resolve: (outcome: Response | Peer) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    {
      session,
      clock,
      id,
      request,
    }: { session: VirtualSession; clock: NodeClock; id: number; request?: Request | undefined },
    options: RequestOptions,
    resolve: (outcome: Response | Peer) => void,
    reject: (reason: unknown) => void,
  ) {
    super(clock);
    this.id = id;
    this.request = request;
    this.#session = session;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    clock.schedule(options.timeoutMs, this);
    if (options.signal) onAbort(options.signal, this);
  }

  onTime(): void {
    const { timeoutMs } = this.#options;
    this.#session.giveUp(this, new NautilusError('TIMEOUT', `the peer did not answer within ${timeoutMs} ms`));
  }

  onAbort(): void {
    this.#session.giveUp(this, aborted(this.#options.signal));
  }

  resolve(outcome: Response | Peer): void {
    this.#end();
    this.#resolve(outcome);
  }

  reject(reason: unknown): void {
    this.#end();
    this.#reject(reason);
  }

  #end(): void {
    this.cancel();
    if (this.#options.signal) offAbort(this.#options.signal, this);
  }
}

const NOBODY: readonly Waiter[] = [];

/** Itself the peer it leads to: one object less for each connection of each node. */
export class VirtualSession implements Peer {
  link: Link;
  /** While we dial, undefined afterwards and when the peer dialled us. */
  dial: DialTarget | undefined;
  /** Larger than that of those used before it. */
  lastUse: number;
  readonly #owner: SessionOwner;
  /** Who said HELLO last; while we dial again, whom we were connected to. */
  #contact: Contact | undefined;
  #mode: NodeMode = 'server';
  // BOUNDED: MAX_IN_FLIGHT. NOBODY's list while nobody waits: most connections are idle.
  #waiters = NOBODY;
  #serving = 0;
  #lastId = 0;
  #hasEnded = false;

  constructor(owner: SessionOwner, link: Link, dial: DialTarget | undefined) {
    this.#owner = owner;
    this.link = link;
    this.dial = dial;
    this.lastUse = owner.nextUse();
  }

  get isIdle(): boolean {
    return this.#waiters === NOBODY && this.#serving === 0;
  }

  /** HELLO came, and it is the peer's connection still, as far as we know. */
  get isOpen(): boolean {
    return this.#contact !== undefined && this.dial === undefined;
  }

  get contact(): Contact {
    assert(this.#contact !== undefined, 'who is there is known from HELLO on');
    return this.#contact;
  }

  get mode(): NodeMode {
    return this.#mode;
  }

  get direction(): Peer['direction'] {
    return this.link.dialler === this.#owner.endpoint ? 'outbound' : 'inbound';
  }

  /** Undefined while nobody has taken our dial. */
  get remoteAddress(): string | undefined {
    const { dialler, acceptor } = this.link;
    return (dialler === this.#owner.endpoint ? acceptor : dialler)?.address;
  }

  /** Resolves with the peer once HELLO came. */
  opened(options: RequestOptions): Promise<Peer> {
    if (this.isOpen) return Promise.resolve(this);
    return this.#wait(undefined, options) as Promise<Peer>;
  }

  request(request: Request, options: RequestOptions): Promise<Response> {
    return this.#wait(request, options) as Promise<Response>;
  }

  /** HELLO came, for the first time or again. */
  greet(contact: Contact, mode: NodeMode): void {
    this.#contact = contact;
    this.#mode = mode;
    this.dial = undefined;
  }

  /** Serves those who waited for HELLO. */
  sendWaiting(): void {
    for (const waiter of this.#waiters) {
      if (waiter.request !== undefined) this.#send(waiter.id, waiter.request);
      else if (this.#takeOut(waiter)) waiter.resolve(this);
    }
  }

  /** @returns false when the answer does not belong to its request. Answers nobody waits for (late, twice) are ignored. */
  onResponse(id: number, response: Response): boolean {
    const waiter = this.#waiters.find((waiting) => waiting.id === id);
    const expected = waiter?.request?.type;
    if (waiter === undefined || expected === undefined) return true;
    this.#takeOut(waiter);
    if (response.type === 'ERROR') {
      waiter.reject(new NautilusError(response.code, `the peer answered ${response.code}`));
      return true;
    }
    if (response.type === expected) waiter.resolve(response);
    else waiter.reject(new NautilusError('MALFORMED', 'the peer sent an answer of another type'));
    return response.type === expected;
  }

  /** Calls `handle` and sends what it returns, unless the peer already has too many requests here. */
  async serve(id: number, purpose: RequestPurpose, handle: () => Promise<Response>): Promise<void> {
    if (this.#serving >= MAX_IN_FLIGHT) {
      this.answer(id, purpose, { type: 'ERROR', code: 'RESOURCE_EXHAUSTED' });
      return;
    }
    this.#serving++;
    this.lastUse = this.#owner.nextUse();
    let response: Response;
    try {
      response = await handle();
    } catch (error) {
      // A bug of the node is the seed's failure, not an answer. What the node says on purpose is.
      if (!isNautilusError(error)) throw error;
      response = { type: 'ERROR', code: error.code === 'RESOURCE_EXHAUSTED' ? error.code : 'INTERNAL' };
    } finally {
      this.#serving--;
    }
    this.answer(id, purpose, response);
  }

  /** Unless the asker has closed the connection: it does not wait any more. */
  answer(id: number, purpose: RequestPurpose, response: Response): void {
    if (!this.#hasEnded && this.isOpen) this.#owner.send(this, encodeResponse(id, response), ANSWER_TO[purpose]);
  }

  /** Those who wait for `other`, a second dial to the same peer, wait for this one instead. */
  adopt(other: VirtualSession): void {
    if (!this.isOpen) return;
    for (const waiter of other.#waiters) {
      if (waiter.request === undefined && other.#takeOut(waiter)) waiter.resolve(this);
    }
  }

  /** The peer has closed the connection, and there may be another. @returns whether anybody's request is to be sent over that */
  keepMovable(): boolean {
    for (const waiter of this.#waiters) {
      if (++waiter.moves <= MAX_MOVES || !this.#takeOut(waiter)) continue;
      waiter.reject(new NautilusError('PEER_UNREACHABLE', 'the peer closed every connection before it answered'));
    }
    return this.#waiters !== NOBODY;
  }

  /** The connection is gone: everybody who waits is told why. */
  end({ code, message }: EndReason): void {
    this.#hasEnded = true;
    const waiters = this.#waiters;
    this.#waiters = NOBODY;
    for (const waiter of waiters) waiter.reject(new NautilusError(code, message));
  }

  /** For its waiters alone: this one does not wait any longer. */
  giveUp(waiter: Waiter, reason: NautilusError): void {
    if (this.#takeOut(waiter)) waiter.reject(reason);
    if (!this.isOpen && this.#waiters === NOBODY && !this.#hasEnded) this.#owner.onUnwanted(this);
  }

  #wait(request: Request | undefined, options: RequestOptions): Promise<Response | Peer> {
    if (options.signal?.aborted) return Promise.reject(aborted(options.signal));
    if (this.#waiters.length >= MAX_IN_FLIGHT) {
      return Promise.reject(new NautilusError('RESOURCE_EXHAUSTED', 'too many requests wait for this peer'));
    }
    const id = this.#nextId();
    const { clock } = this.#owner;
    return new Promise((resolve, reject) => {
      const waiter = new Waiter({ session: this, clock, id, request }, options, resolve, reject);
      this.#waiters = [...this.#waiters, waiter];
      if (this.isOpen && request !== undefined) this.#send(id, request);
    });
  }

  /** @returns false when it does not wait here any more */
  #takeOut(waiter: Waiter): boolean {
    const waiters = this.#waiters;
    if (!waiters.includes(waiter)) return false;
    this.#waiters = waiters.length === 1 ? NOBODY : waiters.filter((other) => other !== waiter);
    return true;
  }

  #send(id: number, request: Request): void {
    this.lastUse = this.#owner.nextUse();
    this.#owner.send(this, encodeRequest(id, request), this.#owner.purposeOf(request));
  }

  #nextId(): number {
    this.#lastId = this.#lastId === MAX_REQUEST_ID ? 1 : this.#lastId + 1;
    return this.#lastId;
  }
}

function aborted(signal: AbortSignal | undefined): NautilusError {
  return new NautilusError('ABORTED', 'the caller gave up', { cause: signal?.reason });
}
