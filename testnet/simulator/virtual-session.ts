/**
 * One connection as one of its ends sees it: who is there, the requests that wait for it to open or for an answer, and the ones being served.
 * Not here: dialling and which of two connections is used (virtual-transport.ts).
 */
import { type Clock, isNautilusError, NautilusError, type Timer } from '../../src/core/index.ts';
import {
  encodeRequest,
  encodeResponse,
  MAX_REQUEST_ID,
  type Peer,
  type Request,
  type RequestOptions,
  type Response,
} from '../../src/kademlia/index.ts';
import { offAbort, onAbort } from './on-abort.ts';
import { ANSWER_TO, type FramePurpose, type RequestPurpose } from './traffic.ts';
import type { Link } from './virtual-link.ts';

/** Requests one peer may have waiting here, either way; more are `RESOURCE_EXHAUSTED`. */
const MAX_IN_FLIGHT = 256;

/** The transport whose connection it is. One object for all of a node's sessions: there are millions of them in a large world. */
export interface SessionOwner {
  readonly clock: Clock;
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

/** Somebody who waits: for the connection (no request) or for an answer. */
interface Waiter {
  readonly request: Request | undefined;
  readonly resolve: (outcome: Response | Peer) => void;
  readonly reject: (reason: unknown) => void;
  readonly deadline: Timer;
  readonly signal: AbortSignal | undefined;
  readonly abort: (() => void) | undefined;
}

const NOBODY: ReadonlyMap<number, Waiter> = new Map();

export class VirtualSession {
  link: Link;
  /** While we dial, undefined afterwards and when the peer dialled us. */
  dial: DialTarget | undefined;
  peer: Peer | undefined;
  /** ms on the node's monotonic clock. */
  usedAt: number;
  readonly #owner: SessionOwner;
  // BOUNDED: MAX_IN_FLIGHT. There is none while nobody waits: most connections are idle.
  #waiters: Map<number, Waiter> | undefined;
  #serving = 0;
  #lastId = 0;
  #hasEnded = false;

  constructor(owner: SessionOwner, link: Link, dial: DialTarget | undefined) {
    this.#owner = owner;
    this.link = link;
    this.dial = dial;
    this.usedAt = owner.clock.monotonic();
  }

  get isIdle(): boolean {
    return this.#waiters === undefined && this.#serving === 0;
  }

  /** Resolves with the peer once HELLO came. */
  opened(options: RequestOptions): Promise<Peer> {
    if (this.peer !== undefined) return Promise.resolve(this.peer);
    return this.#wait(undefined, options) as Promise<Peer>;
  }

  request(request: Request, options: RequestOptions): Promise<Response> {
    return this.#wait(request, options) as Promise<Response>;
  }

  open(peer: Peer): void {
    this.peer = peer;
    this.dial = undefined;
    for (const [id, waiter] of [...this.#waiting]) {
      if (waiter.request === undefined) this.#finish(id)?.resolve(peer);
      else this.#send(id, waiter.request);
    }
  }

  /** @returns false when the answer does not belong to its request. Answers nobody waits for (late, twice) are ignored. */
  onResponse(id: number, response: Response): boolean {
    const expected = this.#waiting.get(id)?.request?.type;
    if (expected === undefined) return true;
    const waiter = this.#finish(id);
    if (response.type === 'ERROR') {
      waiter?.reject(new NautilusError(response.code, `the peer answered ${response.code}`));
      return true;
    }
    if (response.type === expected) waiter?.resolve(response);
    else waiter?.reject(new NautilusError('MALFORMED', 'the peer sent an answer of another type'));
    return response.type === expected;
  }

  /** Calls `handle` and sends what it returns, unless the peer already has too many requests here. */
  async serve(id: number, purpose: RequestPurpose, handle: () => Promise<Response>): Promise<void> {
    if (this.#serving >= MAX_IN_FLIGHT) {
      this.answer(id, purpose, { type: 'ERROR', code: 'RESOURCE_EXHAUSTED' });
      return;
    }
    this.#serving++;
    this.usedAt = this.#owner.clock.monotonic();
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

  answer(id: number, purpose: RequestPurpose, response: Response): void {
    if (!this.#hasEnded) this.#owner.send(this, encodeResponse(id, response), ANSWER_TO[purpose]);
  }

  /** Those who wait for `other`, a second dial to the same peer, wait for this one instead. */
  adopt(other: VirtualSession): void {
    for (const [id, { request }] of [...other.#waiting]) {
      if (request === undefined && this.peer !== undefined) other.#finish(id)?.resolve(this.peer);
    }
  }

  /** The connection is gone: everybody who waits is told why. */
  end(reason: NautilusError): void {
    this.#hasEnded = true;
    for (const id of [...this.#waiting.keys()]) this.#finish(id)?.reject(reason);
  }

  get #waiting(): ReadonlyMap<number, Waiter> {
    return this.#waiters ?? NOBODY;
  }

  #wait(request: Request | undefined, { timeoutMs, signal }: RequestOptions): Promise<Response | Peer> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (this.#waiting.size >= MAX_IN_FLIGHT) {
      return Promise.reject(new NautilusError('RESOURCE_EXHAUSTED', 'too many requests wait for this peer'));
    }
    const id = this.#nextId();
    return new Promise((resolve, reject) => {
      const deadline = this.#owner.clock.setTimer(timeoutMs, () => {
        this.#giveUp(id, new NautilusError('TIMEOUT', `the peer did not answer within ${timeoutMs} ms`));
      });
      const abort = signal && (() => this.#giveUp(id, aborted(signal)));
      if (signal && abort) onAbort(signal, abort);
      this.#waiters ??= new Map();
      this.#waiters.set(id, { request, resolve, reject, deadline, signal, abort });
      if (this.peer !== undefined && request !== undefined) this.#send(id, request);
    });
  }

  #giveUp(id: number, reason: NautilusError): void {
    this.#finish(id)?.reject(reason);
    if (this.peer === undefined && this.#waiters === undefined && !this.#hasEnded) this.#owner.onUnwanted(this);
  }

  #send(id: number, request: Request): void {
    this.usedAt = this.#owner.clock.monotonic();
    this.#owner.send(this, encodeRequest(id, request), this.#owner.purposeOf(request));
  }

  /** Takes a waiter out, with its deadline and its ear for the abort. */
  #finish(id: number): Waiter | undefined {
    const waiter = this.#waiters?.get(id);
    if (this.#waiters === undefined || waiter === undefined) return undefined;
    this.#waiters.delete(id);
    if (this.#waiters.size === 0) this.#waiters = undefined;
    waiter.deadline.cancel();
    if (waiter.signal && waiter.abort) offAbort(waiter.signal, waiter.abort);
    return waiter;
  }

  #nextId(): number {
    this.#lastId = this.#lastId === MAX_REQUEST_ID ? 1 : this.#lastId + 1;
    return this.#lastId;
  }
}

function aborted(signal: AbortSignal): NautilusError {
  return new NautilusError('ABORTED', 'the caller gave up', { cause: signal.reason });
}
