/** How often what happened, over one world or many: the proof that a kind of fault was really met. */
export class Tally {
  // BOUNDED: by the kinds of things its user counts.
  readonly #counts = new Map<string, number>();

  count(kind: string, times = 1): void {
    this.#counts.set(kind, this.of(kind) + times);
  }

  of(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  add(other: Tally): void {
    for (const [kind, times] of other.#counts) this.count(kind, times);
  }

  /** A line per kind, in the order of names. */
  toString(): string {
    const kinds = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return kinds.map(([kind, times]) => `${String(times).padStart(8)} ${kind}`).join('\n');
  }
}
