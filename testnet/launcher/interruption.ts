/**
 * Ctrl-C and its relatives, for as long as a testnet is ours to end: the first asks to stop, the second to stop at once. Without this a
 * second Ctrl-C would end this process and leave its nodes.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interruption {
  readonly #stop = new AbortController();
  readonly #urgent = new AbortController();
  readonly #from: AbortSignal | undefined;
  #asked = 0;

  /** @param from another way to ask, the caller's own */
  constructor(from?: AbortSignal) {
    this.#from = from;
    for (const name of SIGNALS) process.on(name, this.#onSignal);
    from?.addEventListener('abort', this.#onAbort, { once: true });
    if (from?.aborted) this.#onAbort();
  }

  /** Aborts when somebody wants the testnet to end. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts when they want it for the second time. */
  get urgent(): AbortSignal {
    return this.#urgent.signal;
  }

  /** Gives the signals back. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal);
    this.#from?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onSignal = (): void => {
    // Counted here, not by `stop`: the caller may listen too, and abort for this very signal.
    this.#asked += 1;
    if (this.#asked > 1) this.#urgent.abort();
    this.#stop.abort();
  };

  readonly #onAbort = (): void => this.#stop.abort();
}
