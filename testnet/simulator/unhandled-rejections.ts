/** Catches promises that were rejected with nobody listening while a world ran: each is a bug that a real node would die of. */
export class UnhandledRejections {
  // BOUNDED: only the first is kept.
  #first: { readonly reason: unknown } | undefined;
  readonly #listener = (reason: unknown) => {
    this.#first ??= { reason };
  };

  constructor() {
    process.on('unhandledRejection', this.#listener);
  }

  /** Rejects with the first one there was. Node reports them at the end of a turn, so it waits for one. */
  async check(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#first !== undefined)
      throw new Error('a promise was rejected and nobody listened', { cause: this.#first.reason });
  }

  release(): void {
    process.off('unhandledRejection', this.#listener);
  }
}
