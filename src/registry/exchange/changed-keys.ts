/**
 * The keys of a storage that have to be copied again: written since they were copied, or being written at this moment. A write is noted here before
 * it begins and after it ended, however it ended; what the storage has then is what the copy has to get. Knows nothing of storages.
 */

export class ChangedKeys {
  readonly #limit: number;
  // BOUNDED: by `limit`, writers wait for room(); more only by what was let in at once, and by notes of changes nobody asked for.
  readonly #changed = new Set<string>();
  // BOUNDED: by the writes under way. How many there are on each key.
  readonly #writing = new Map<string, number>();
  // BOUNDED: by the writes that wait.
  #waiting: (() => void)[] = [];
  #isOver = false;

  /** @param limit keys, changed and being written */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** To be copied again; without those that are still being written. */
  get size(): number {
    return this.#changed.size;
  }

  begin(keys: readonly string[]): void {
    for (const key of keys) this.#writing.set(key, (this.#writing.get(key) ?? 0) + 1);
  }

  end(keys: readonly string[]): void {
    for (const key of keys) {
      const others = this.#writing.get(key)! - 1;
      if (others === 0) this.#writing.delete(key);
      else this.#writing.set(key, others);
      this.#changed.add(key);
    }
  }

  /** Changed by nobody's write. */
  note(key: string): void {
    this.#changed.add(key);
  }

  /** Whether its copy may be another one than the original for good reason. */
  isPending(key: string): boolean {
    return this.#changed.has(key) || this.#writing.has(key);
  }

  /** The oldest, which from now on are somebody else's to copy. */
  take(count: number): readonly string[] {
    const taken: string[] = [];
    for (const key of this.#changed) {
      if (taken.length >= count) break;
      taken.push(key);
    }
    for (const key of taken) this.#changed.delete(key);
    if (this.#hasRoom()) this.#wake();
    return taken;
  }

  /** Undefined: there is room for another write. Else resolves when it is worth asking again. */
  room(): Promise<void> | undefined {
    return this.#hasRoom() ? undefined : new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Nobody copies any more: there is room for everything. */
  close(): void {
    this.#isOver = true;
    this.#wake();
  }

  #hasRoom(): boolean {
    return this.#isOver || this.#changed.size + this.#writing.size < this.#limit;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
