/** Somebody who waits for a connection and nothing more (`Transport.connect`): its deadline, its signal, its promise. */
import { NautilusError } from '../core/index.ts';
import type { Peer, RequestOptions } from '../kademlia/index.ts';
import type { Abortable } from './abort-groups.ts';
import { abortedError, type CallServices } from './call.ts';
import type { Deadline } from './deadlines.ts';
import type { Opening, Visitor } from './opening.ts';
import type { PeerLink } from './peer-link.ts';

export class Visit implements Visitor, Deadline, Abortable {
  dueTick = 0;
  readonly #opening: Opening;
  readonly #options: RequestOptions;
  readonly #services: CallServices;
  readonly #resolve: (peer: Peer) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    opening: Opening,
    options: RequestOptions,
    services: CallServices,
    resolve: (peer: Peer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#opening = opening;
    this.#options = options;
    this.#services = services;
    this.#resolve = resolve;
    this.#reject = reject;
    opening.addVisitor(this);
    services.deadlines.add(this, options.timeoutMs);
    if (options.signal !== undefined) services.aborts.add(options.signal, this);
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

  abort(): void {
    this.failed(abortedError(this.#options.signal));
    this.#opening.leave(this);
  }

  #end(): void {
    if (this.dueTick !== 0) this.#services.deadlines.remove(this);
    if (this.#options.signal !== undefined) this.#services.aborts.remove(this.#options.signal, this);
  }
}
