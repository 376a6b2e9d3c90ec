/**
 * Resources in the order they were opened, closed in reverse, once, each within its time: a node that fails half-way through starting gives
 * back what it took, and a storage that hangs cannot keep the process alive.
 */
import { type Clock, type Observer, sleep } from '../core/index.ts';

interface Opened {
  readonly name: string;
  readonly close: () => Promise<void> | void;
}

/** How long one resource may take to close before the next is closed anyway, ms. */
const CLOSE_TIMEOUT_MS = 5_000;

export class Lifecycle {
  readonly #clock: Clock;
  readonly #observer: Observer;
  // BOUNDED: one entry per part of a node.
  readonly #opened: Opened[] = [];
  #closing: Promise<void> | undefined;

  constructor(components: { readonly clock: Clock; readonly observer: Observer }) {
    this.#clock = components.clock;
    this.#observer = components.observer;
  }

  /** Takes charge of a resource; hands it back for chaining. */
  opened<T>(name: string, resource: T, close: (resource: T) => Promise<void> | void): T {
    this.#opened.push({ name, close: () => close(resource) });
    return resource;
  }

  /** Closes everything, last opened first. Never rejects: what fails to close is reported, and the rest is closed all the same. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#opened.toReversed()) {
      const problem = await this.#closeOne(close);
      if (problem !== undefined)
        this.#observer.notify({ type: 'warning', code: 'CLOSE_FAILED', message: `${name}: ${problem}` });
    }
  }

  async #closeOne(close: Opened['close']): Promise<string | undefined> {
    const givenUp = new AbortController();
    const tooLong = sleep(this.#clock, CLOSE_TIMEOUT_MS, givenUp.signal).then(
      () => `not closed after ${CLOSE_TIMEOUT_MS} ms`,
      () => undefined,
    );
    const closed = (async () => close())().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const problem = await Promise.race([closed, tooLong]);
    givenUp.abort();
    return problem;
  }
}
