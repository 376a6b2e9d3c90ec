/**
 * A connection being made, and everybody who waits for it: requests to one peer join one dial. Each waiter has its own patience; when the last one
 * is gone the dial is given up. Not here: how to dial.
 */
import { assert, type NautilusError } from '../core/index.ts';
import type { Call, CallHolder } from './call.ts';
import type { PeerLink } from './peer-link.ts';

export class Opening implements CallHolder {
  // BOUNDED: limits.maxInFlight (the transport refuses more).
  readonly #calls = new Set<Call>();
  readonly #controller = new AbortController();
  /** Whoever asked for the peer, not for an answer. */
  // BOUNDED: by what bootstrap dials at once.
  readonly #visitors = new Set<Visitor>();
  readonly #onOver: () => void;
  #isOver = false;

  /** @param onOver called once: it succeeded, failed, or nobody waits any more */
  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get size(): number {
    return this.#calls.size;
  }

  addCall(call: Call): void {
    assert(!this.#isOver, 'nobody joins what is over');
    call.holder = this;
    this.#calls.add(call);
  }

  addVisitor(visitor: Visitor): void {
    this.#visitors.add(visitor);
  }

  forget(call: Call): void {
    this.#calls.delete(call);
    this.#giveUpIfUnwanted();
  }

  leave(visitor: Visitor): void {
    this.#visitors.delete(visitor);
    this.#giveUpIfUnwanted();
  }

  /** @returns the calls to send now */
  succeed(link: PeerLink): readonly Call[] {
    this.#end();
    for (const visitor of this.#visitors) visitor.opened(link);
    this.#visitors.clear();
    const calls = [...this.#calls];
    this.#calls.clear();
    return calls;
  }

  fail(error: NautilusError): void {
    this.#end();
    for (const visitor of this.#visitors) visitor.failed(error);
    for (const call of this.#calls) call.reject(error);
    this.#visitors.clear();
    this.#calls.clear();
  }

  #giveUpIfUnwanted(): void {
    if (this.#isOver || this.#calls.size > 0 || this.#visitors.size > 0) return;
    this.#end();
    this.#controller.abort();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onOver();
  }
}

export interface Visitor {
  opened(link: PeerLink): void;
  failed(error: NautilusError): void;
}
