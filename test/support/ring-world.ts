/** A ring over memories that outlive it, on a clock that a test moves: shards can be made to fail, and the ring killed and opened again. */
import type { NodeEvent } from '../../src/core/index.ts';
import { MemoryStorage, type OpenRingOptions, openRing, type Ring } from '../../src/registry/index.ts';
import { ManualClock } from './manual-clock.ts';
import { MapStateStore } from './map-state-store.ts';
import { type Outcome, settleCall } from './settle-call.ts';
import { type Mood, type UnreliableStorage, unreliableStorage } from './unreliable-storage.ts';

export interface RingWorldOptions {
  readonly shards: number;
  readonly copies?: number;
  readonly init?: OpenRingOptions['init'];
}

export class RingWorld {
  readonly clock = new ManualClock();
  readonly state = new MapStateStore();
  readonly events: NodeEvent[] = [];
  readonly bases: readonly MemoryStorage[];
  readonly #options: RingWorldOptions;
  /** Names in the ring, as they would be given at the start. */
  members: { readonly name: string; readonly weight: number }[];
  copies: number;
  #shards: UnreliableStorage[] = [];
  #ring: Ring | undefined;

  constructor(options: RingWorldOptions) {
    this.#options = options;
    this.bases = Array.from({ length: options.shards }, () => new MemoryStorage({ clock: this.clock }));
    this.members = this.bases.map((_, n) => ({ name: `shard-${n}`, weight: 1 }));
    this.copies = options.copies ?? 1;
  }

  get ring(): Ring {
    if (this.#ring === undefined) throw new Error('the ring is not open');
    return this.#ring;
  }

  /** Opens it over whatever the memories hold. @param moods of the shards, by number */
  async open(moods: readonly Mood[] = []): Promise<Ring> {
    this.#shards = this.bases.map((base, n) => {
      const shard = unreliableStorage(base);
      shard.mood = moods[n] ?? 'well';
      return shard;
    });
    const opening = openRing({
      shards: this.members.map(({ name, weight }) => {
        const shard = this.#shards[Number(name.split('-')[1])]!;
        return {
          name,
          weight,
          // A memory opens whatever its mood: it is reached for the first time by what the ring asks of it.
          open: async () => {
            await shard.storage.contains(Uint8Array.of(1));
            // Its memory outlives the ring, as a disk would.
            return {
              ...shard.storage,
              capabilities: { ...shard.storage.capabilities, persistent: true, durable: true },
            };
          },
        };
      }),
      copies: this.copies,
      clock: this.clock,
      random: { next: () => 0.5, bytes: (length) => new Uint8Array(length).fill(7) },
      observer: { notify: (event) => void this.events.push(event) },
      state: this.state,
      init: this.#options.init,
    });
    const outcome = await this.settled(opening);
    if (outcome.kind === 'failed') throw outcome.error;
    this.#ring = outcome.value;
    return outcome.value;
  }

  /** Nothing the ring was doing is finished, nothing reaches the memories any more. */
  async kill(): Promise<void> {
    for (const shard of this.#shards) shard.mood = 'hanging';
    const { storage } = this.ring;
    this.#ring = undefined;
    await this.settled(storage.close());
  }

  shard(n: number): UnreliableStorage {
    return this.#shards[n]!;
  }

  /** The result of a call, with the clock moved as far as it takes. */
  settled<T>(call: Promise<T>): Promise<Outcome<T>> {
    return settleCall(this.clock, call, 500);
  }

  /** Every shard is well, and all that was to be caught up with has been. */
  async heal(): Promise<void> {
    for (const shard of this.#shards) shard.mood = 'well';
    for (let seconds = 0; seconds < 120; seconds++) {
      await this.clock.advance(1_000);
      const status = await this.settled(this.ring.status());
      if (status.kind === 'failed') throw status.error;
      const { shards, isMoving } = status.value;
      if (!isMoving && shards.every(({ state }) => state === 'up' || state === 'drained')) return;
    }
    throw new Error('the ring has not healed within two minutes');
  }
}
