/** One at a time per key, any number across keys; first come, first served. */
export class KeyedQueue {
  // BOUNDED: one entry per key with work in flight; callers bound their work.
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Runs `work` after everything queued before it under `key` has settled. Its result, or failure, is the caller's alone. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#tails.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#tails.get(key) === turn) this.#tails.delete(key);
    }
  }

  /** Keys with work in flight. */
  get size(): number {
    return this.#tails.size;
  }
}
