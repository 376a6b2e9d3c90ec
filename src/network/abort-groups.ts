/**
 * One listener per signal, however many requests share it: a lookup passes one signal to all its requests, adding a listener costs more than the
 * rest of a request's bookkeeping, and past ten Node warns of a leak.
 */
export interface Abortable {
  abort(): void;
}

interface Group {
  readonly members: Set<Abortable>;
  readonly onAbort: () => void;
}

export class AbortGroups {
  // BOUNDED: by the requests in flight.
  readonly #groups = new Map<AbortSignal, Group>();

  /** `signal` is not aborted yet. */
  add(signal: AbortSignal, member: Abortable): void {
    const group = this.#groups.get(signal);
    if (group !== undefined) {
      group.members.add(member);
      return;
    }
    const members = new Set([member]);
    const onAbort = () => {
      this.#groups.delete(signal);
      for (const each of members) each.abort();
    };
    this.#groups.set(signal, { members, onAbort });
    signal.addEventListener('abort', onAbort, { once: true });
  }

  remove(signal: AbortSignal, member: Abortable): void {
    const group = this.#groups.get(signal);
    if (group === undefined) return;
    group.members.delete(member);
    if (group.members.size > 0) return;
    this.#groups.delete(signal);
    signal.removeEventListener('abort', group.onAbort);
  }
}
