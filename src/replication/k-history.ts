/**
 * Remembers how many holders a key could have lately, so that a node cut off with a handful of others does not take them for the network:
 * K' below half of the largest of 24 h makes results `degraded`.
 */
import type { Clock, StateStore } from '../core/index.ts';
import { decodeCbor, encodeCbor } from '../records/index.ts';

const STATE_KEY = 'k-history';
const HOUR_MS = 3_600_000;
const HOURS = 24;

export class KHistory {
  readonly #state: StateStore;
  readonly #clock: Clock;
  // BOUNDED: HOURS + 1 entries, hour since the epoch -> largest K' seen in it.
  readonly #largestByHour = new Map<number, number>();

  private constructor(state: StateStore, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  static async restore(components: { readonly state: StateStore; readonly clock: Clock }): Promise<KHistory> {
    const history = new KHistory(components.state, components.clock);
    const saved = decodeCbor((await components.state.get(STATE_KEY)) ?? new Uint8Array(0))?.value;
    if (Array.isArray(saved)) {
      for (const entry of saved as unknown[]) {
        if (Array.isArray(entry) && typeof entry[0] === 'number' && typeof entry[1] === 'number') {
          history.#largestByHour.set(entry[0], entry[1]);
        }
      }
    }
    return history;
  }

  /** Takes note of a finished lookup's K' and tells whether it is suspiciously small. Writes only when an hour's maximum grows. */
  async observe(kEffective: number): Promise<{ readonly degraded: boolean }> {
    const hour = Math.floor(this.#clock.now() / HOUR_MS);
    for (const old of this.#largestByHour.keys()) {
      if (old <= hour - HOURS || old > hour) this.#largestByHour.delete(old);
    }
    if (kEffective > (this.#largestByHour.get(hour) ?? 0)) {
      this.#largestByHour.set(hour, kEffective);
      await this.#state.set(STATE_KEY, encodeCbor([...this.#largestByHour]));
    }
    return { degraded: kEffective < Math.max(...this.#largestByHour.values()) / 2 };
  }
}
