/**
 * What outlives a node's process: its records and its small state. Without a flush time a write is on the disk at once; with one, a crash loses
 * what was not flushed. A node that comes back with an empty disk gets another one of these.
 */
import type { Clock, StateStore } from '../../src/core/index.ts';
import { createStateStore, MemoryStorage, type RegistryStorage } from '../../src/registry/index.ts';
import { FlushingStorage, type FlushTime } from './flushing-storage.ts';
import { MemoryStateStore } from './memory-state-store.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface DiskOptions {
  /** How long a write takes to be safe. Writes that come meanwhile wait for this flush and are in the next one. */
  readonly flushMs: FlushTime;
}

export class SimulatedDisk {
  readonly records: RegistryStorage;
  readonly state: StateStore;
  readonly #parts: readonly FlushingStorage[];

  /** @param clock the machine's: its timers never fire while no process runs */
  constructor(clock: Clock, random: SeededRandom, options: DiskOptions | undefined) {
    if (options === undefined) {
      this.records = new MemoryStorage({ clock });
      this.state = new MemoryStateStore();
      this.#parts = [];
    } else {
      const part = (name: string) =>
        new FlushingStorage({
          inner: new MemoryStorage({ clock }),
          clock,
          random: random.fork(name),
          flushMs: options.flushMs,
        });
      const state = part('state');
      const records = part('records');
      this.records = records;
      this.state = createStateStore(state);
      this.#parts = [records, state];
    }
  }

  /** Entries that a crash at this moment would lose or leave as they were before. */
  get unflushed(): number {
    return this.#parts.reduce((sum, part) => sum + part.unflushed, 0);
  }

  /** A process starts: it finds what was flushed. */
  async mount(): Promise<void> {
    for (const part of this.#parts) await part.restart();
  }
}
