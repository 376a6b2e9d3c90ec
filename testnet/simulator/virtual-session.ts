/**
 * One connection as one of its ends sees it: who is there, the requests that wait for it to open or for an answer, and the ones being served.
 * Not here: dialling and which of two connections is used (virtual-transport.ts).
 */
import { type Clock, isNautilusError, NautilusError } from '../../src/core/index.ts';
import {
  encodeRequest,
  encodeResponse,
  MAX_REQUEST_ID,
  type Peer,
  type Request,
  type RequestOptions,
  type RequestType,
  type Response,
} from '../../src/kademlia/index.ts';
import { offAbort, onAbort } from './on-abort.ts';
import type { FramePurpose } from './traffic.ts';
import type { Link } from './virtual-link.ts';

/** Requests one peer may have waiting here, either way; more are `RESOURCE_EXHAUSTED`. */
const MAX_IN_FLIGHT = 256;

const ANSWER_TO = {
  PING: 'PING answer',
  FIND_NODE: 'FIND_NODE answer',
  FIND_VALUE: 'FIND_VALUE answer',
  STORE: 'STORE answer',
  SYNC: 'SYNC answer',
  FETCH: 'FETCH answer',
  HAND_OFF: 'HAND_OFF answer',
  LEAVE: 'LEAVE answer',
} as const satisfies Record<RequestType, FramePurpose>;

export interface SessionActions {
  send(frame: Uint8Array, purpose: FramePurpose): void;
  /** The last one who waited for the connection to open gave up. */
  onUnwanted(): void;
}

/** Somebody who waits: for the connection (no request) or for an answer. */
interface Waiter {
  readonly request: Request | undefined;
  resolve(outcome: Response | Peer): void;
  reject(reason: unknown): void;
  /** Ends its deadline and its ear for the abort. */
  release(): void;
}

export class VirtualSession {
  link: Link;
  readonly expected: string | undefined;
  /** Where it was dialled; undefined when the peer dialled us. */
  readonly dialled: string | undefined;
  /** Others to try when the dial is refused. */
  readonly addresses: string[];
  peer: Peer | undefined;
  /** ms on the node's monotonic clock. */
  usedAt: number;
  readonly #clock: Clock;
  readonly #actions: SessionActions;
  // BOUNDED: MAX_IN_FLIGHT.
  readonly #waiters = new Map<number, Waiter>();
  #serving = 0;
  #lastId = 0;
  #hasEnded = false;

  constructor(clock: Clock, link: Link, target: DialTarget | { readonly expected: string }, actions: SessionActions) {
    this.#clock = clock;
    this.link = link;
    this.expected = target.expected;
    this.dialled = 'address' in target ? target.address : undefined;
    this.addresses = 'address' in target ? [...target.others] : [];
    this.usedAt = clock.monotonic();
    this.#actions = actions;
  }

  get isIdle(): boolean {
    return this.#waiters.size === 0 && this.#serving === 0;
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
    for (const [id, waiter] of [...this.#waiters]) {
      if (waiter.request === undefined) this.#finish(id)?.resolve(peer);
      else this.#send(id, waiter.request);
    }
  }

  /** @returns false when the answer does not belong to its request. Answers nobody waits for (late, twice) are ignored. */
  onResponse(id: number, response: Response): boolean {
    const expected = this.#waiters.get(id)?.request?.type;
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
  async serve(id: number, type: RequestType, handle: () => Promise<Response>): Promise<void> {
    if (this.#serving >= MAX_IN_FLIGHT) {
      this.answer(id, type, { type: 'ERROR', code: 'RESOURCE_EXHAUSTED' });
      return;
    }
    this.#serving++;
    this.usedAt = this.#clock.monotonic();
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
    this.answer(id, type, response);
  }

  answer(id: number, type: RequestType, response: Response): void {
    if (!this.#hasEnded) this.#actions.send(encodeResponse(id, response), ANSWER_TO[type]);
  }

  /** Those who wait for `other`, a second dial to the same peer, wait for this one instead. */
  adopt(other: VirtualSession): void {
    for (const id of [...other.#waiters.keys()]) {
      const waiter = other.#waiters.get(id);
      if (waiter?.request === undefined && this.peer !== undefined) other.#finish(id)?.resolve(this.peer);
    }
  }

  /** The connection is gone: everybody who waits is told why. */
  end(reason: NautilusError): void {
    this.#hasEnded = true;
    for (const id of [...this.#waiters.keys()]) this.#finish(id)?.reject(reason);
  }

  #wait(request: Request | undefined, { timeoutMs, signal }: RequestOptions): Promise<Response | Peer> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (this.#waiters.size >= MAX_IN_FLIGHT) {
      return Promise.reject(new NautilusError('RESOURCE_EXHAUSTED', 'too many requests wait for this peer'));
    }
    const id = this.#nextId();
    return new Promise((resolve, reject) => {
      const giveUp = (reason: NautilusError) => {
        this.#finish(id)?.reject(reason);
        if (this.peer === undefined && this.#waiters.size === 0 && !this.#hasEnded) this.#actions.onUnwanted();
      };
      const abort = () => giveUp(aborted(signal));
      const deadline = this.#clock.setTimer(timeoutMs, () => {
        giveUp(new NautilusError('TIMEOUT', `the peer did not answer within ${timeoutMs} ms`));
      });
      const release = () => {
        deadline.cancel();
        if (signal) offAbort(signal, abort);
      };
      if (signal) onAbort(signal, abort);
      this.#waiters.set(id, { request, resolve, reject, release });
      if (this.peer !== undefined && request !== undefined) this.#send(id, request);
    });
  }

  #send(id: number, request: Request): void {
    this.usedAt = this.#clock.monotonic();
    this.#actions.send(encodeRequest(id, request), request.type);
  }

  #finish(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    waiter?.release();
    return waiter;
  }

  #nextId(): number {
    this.#lastId = this.#lastId === MAX_REQUEST_ID ? 1 : this.#lastId + 1;
    return this.#lastId;
  }
}

/** What a dial aims at. */
export interface DialTarget {
  readonly address: string;
  readonly others: readonly string[];
  /** Node id in hex, when it is known who should answer. */
  readonly expected: string | undefined;
}

function aborted(signal: AbortSignal | undefined): NautilusError {
  return new NautilusError('ABORTED', 'the caller gave up', { cause: signal?.reason });
}
