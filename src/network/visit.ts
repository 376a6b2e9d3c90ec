/** Somebody who waits for a connection and nothing more (`Transport.connect`): its deadline, its signal, its promise. */
import { NautilusError, onAbort } from '../core/index.ts';
import type { Peer, RequestOptions } from '../kademlia/index.ts';
import { abortedError } from './call.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { Opening, Visitor } from './opening.ts';
import type { PeerLink } from './peer-link.ts';

export class Visit implements Visitor, Deadline {
  dueTick = 0;
  readonly #opening: Opening;
  readonly #options: RequestOptions;
  readonly #deadlines: Deadlines;
  readonly #unwatch: (() => void) | undefined;
  readonly #resolve: (peer: Peer) => void;
  readonly #reject: (error: unknown) => void;

  /** The signal is not aborted yet. */
  constructor(
    opening: Opening,
    options: RequestOptions,
    deadlines: Deadlines,
    resolve: (peer: Peer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#opening = opening;
    this.#options = options;
    this.#deadlines = deadlines;
    this.#resolve = resolve;
    this.#reject = reject;
    opening.addVisitor(this);
    deadlines.add(this, options.timeoutMs);
    this.#unwatch = options.signal && onAbort(options.signal, () => this.#abort());
  }

  opened(link: PeerLink): void {
    this.#end();
    this.#resolve(link.peer);
  }

  failed(error: NautilusError): void {
    this.#end();
    this.#reject(error);
  }

  expire(): void {
    this.failed(new NautilusError('TIMEOUT', `no connection within ${this.#options.timeoutMs} ms`));
    this.#opening.leave(this);
  }

  #abort(): void {
    this.failed(abortedError(this.#options.signal));
    this.#opening.leave(this);
  }

  #end(): void {
    if (this.dueTick !== 0) this.#deadlines.remove(this);
    this.#unwatch?.();
  }
}
