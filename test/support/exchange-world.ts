/** A node's storage, exchanged between memories that outlive it, on a clock that a test moves: it can be killed and opened again at any moment. */
import type { NodeEvent } from '../../src/core/index.ts';
import {
  MemoryStorage,
  openExchangeable,
  type RegistryStorage,
  type StorageExchanger,
} from '../../src/registry/index.ts';
import { ManualClock } from './manual-clock.ts';
import { MapStateStore } from './map-state-store.ts';
import { type Outcome, settleCall } from './settle-call.ts';
import { type UnreliableStorage, unreliableStorage } from './unreliable-storage.ts';

export interface OpenedMemory {
  readonly storage: RegistryStorage;
  readonly url: string;
}

export class ExchangeWorld {
  readonly clock = new ManualClock();
  readonly state = new MapStateStore();
  readonly events: NodeEvent[] = [];
  /** By URL: what is in them. */
  readonly bases = new Map<string, MemoryStorage>();
  readonly #storages = new Map<string, UnreliableStorage>();
  #exchanger: StorageExchanger<OpenedMemory> | undefined;
  /** How the names of storages that do not outlive a kill begin. */
  readonly fleeting = 'fleeting';
  #opens = 0;

  get exchanger(): StorageExchanger<OpenedMemory> {
    if (this.#exchanger === undefined) throw new Error('the storage is not open');
    return this.#exchanger;
  }

  get storage(): RegistryStorage {
    return this.exchanger.storage;
  }

  /** The warnings so far, by code. */
  get codes(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
  }

  get messages(): string {
    return this.events.map((event) => (event.type === 'warning' ? event.message : '')).join('\n');
  }

  async open(...urls: string[]): Promise<void> {
    this.#opens++;
    const generation = this.#opens;
    const outcome = await this.settled(
      openExchangeable<OpenedMemory>({
        urls,
        state: this.#stateOf(generation),
        clock: this.clock,
        random: { next: () => 0.5, bytes: (length) => new Uint8Array(length).fill(7) },
        observer: { notify: (event) => void this.events.push(event) },
        open: async ([url = '']) => ({ storage: this.side(url).storage, url }),
        naming: {
          names: (given) => [...given].sort(),
          lastingNames: (given) => given.filter((url) => !url.startsWith(this.fleeting)).sort(),
          shown: (given) => given,
        },
        init: { pageEntries: 2, stepTimeoutMs: 1_000, maxChangedKeys: 8, holdMs: 200 },
      }),
    );
    if (outcome.kind === 'failed') throw outcome.error;
    this.#exchanger = outcome.value;
  }

  /** Nothing that was under way is finished: nothing reaches what is stored any more. */
  async kill(): Promise<void> {
    for (const side of this.#storages.values()) side.mood = 'hanging';
    this.#storages.clear();
    for (const url of this.bases.keys()) if (url.startsWith(this.fleeting)) this.bases.delete(url);
    this.#exchanger = undefined;
    this.#opens++;
  }

  /** Opened by this process; its mood is the test's to change. */
  side(url: string): UnreliableStorage {
    let side = this.#storages.get(url);
    if (side === undefined) {
      const base = this.bases.get(url) ?? new MemoryStorage({ clock: this.clock });
      this.bases.set(url, base);
      side = unreliableStorage(base);
      const isPersistent = !url.startsWith(this.fleeting);
      const capabilities = { ...base.capabilities, persistent: isPersistent, durable: isPersistent };
      side = Object.assign(side, { storage: { ...side.storage, name: url, capabilities } });
      this.#storages.set(url, side);
    }
    return side;
  }

  /** Moves the clock until nothing is being migrated. */
  async untilQuiet(): Promise<void> {
    for (let n = 0; this.exchanger.progress !== undefined || n < 10; n++) {
      if (n > 10_000) throw new Error('the migration does not end');
      await this.clock.advance(100);
    }
  }

  /** The result of a call, with the clock moved as far as it takes. */
  settled<T>(call: Promise<T>): Promise<Outcome<T>> {
    return settleCall(this.clock, call, 50);
  }

  /** The state as one process sees it: once killed, it writes nothing any more. */
  #stateOf(generation: number): MapStateStore {
    const alive = async <T>(work: () => Promise<T>): Promise<T> =>
      generation === this.#opens ? work() : new Promise<never>(() => undefined);
    const { state } = this;
    return Object.assign(Object.create(state) as MapStateStore, {
      get: (key: string) => alive(() => state.get(key)),
      set: (key: string, value: Uint8Array) => alive(() => state.set(key, value)),
      delete: (key: string) => alive(() => state.delete(key)),
    });
  }
}
