/**
 * One request of ours on its way to an answer. It outlives streams: whoever holds it (a dial, then a stream, perhaps another stream) can hand it
 * on, its deadline and its caller's signal run all the time. Every request of the protocol may be sent twice without harm.
 */
import { NautilusError, onAbort } from '../core/index.ts';
import type { Contact, Request, RequestOptions, Response } from '../kademlia/index.ts';
import type { Deadline, Deadlines } from './deadlines.ts';

export interface CallHolder {
  /** The call ended without an answer of this holder. */
  forget(call: Call, why: 'timeout' | 'aborted'): void;
}

export class Call implements Deadline {
  readonly to: Contact;
  readonly request: Request;
  readonly timeoutMs: number;
  dueTick = 0;
  holder: CallHolder | undefined;
  /** Its number on the stream that holds it. */
  requestId = 0;
  /** How often a stream that ended handed it back. */
  moves = 0;
  readonly #deadlines: Deadlines;
  readonly #unwatch: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;

  /** The signal is not aborted yet. */
  constructor(
    to: Contact,
    request: Request,
    options: RequestOptions,
    deadlines: Deadlines,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ) {
    this.to = to;
    this.request = request;
    this.timeoutMs = options.timeoutMs;
    this.#deadlines = deadlines;
    this.#signal = options.signal;
    this.#resolve = resolve;
    this.#reject = reject;
    deadlines.add(this, options.timeoutMs);
    this.#unwatch = options.signal && onAbort(options.signal, () => this.#abort());
  }

  resolve(response: Response): void {
    this.#end();
    this.#resolve(response);
  }

  reject(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  expire(): void {
    this.#giveUp('timeout', new NautilusError('TIMEOUT', `the peer did not answer within ${this.timeoutMs} ms`));
  }

  #abort(): void {
    this.#giveUp('aborted', abortedError(this.#signal));
  }

  #giveUp(why: 'timeout' | 'aborted', error: NautilusError): void {
    const { holder } = this;
    this.reject(error);
    holder?.forget(this, why);
  }

  #end(): void {
    this.holder = undefined;
    if (this.dueTick !== 0) this.#deadlines.remove(this);
    this.#unwatch?.();
  }
}

export function abortedError(signal: AbortSignal | undefined): NautilusError {
  return new NautilusError('ABORTED', 'the caller gave up', { cause: signal?.reason });
}
