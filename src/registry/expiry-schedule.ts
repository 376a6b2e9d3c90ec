/**
 * One deadline structure for everything that expires here, driven by at most one timer. Due items leave in small batches, one batch a turn,
 * so that a burst of deadlines neither blocks the process nor floods the storage: only a few batches are at work at once.
 */
import type { Clock, Load, Timer } from '../core/index.ts';
import { DeadlineHeap, type HeapItem } from './deadline-heap.ts';

/**
 * At 0.1 to 0.4 ms each (read, decode, write), a batch stays well under 10 ms of work, also when a few of them are due in one turn of the event
 * loop: timers that became due while one ran are run before anything else is.
 */
const MAX_BATCH = 8;

/** Why not one: a deadline would wait for the disk to finish with those before it. */
const MAX_BATCHES_AT_WORK = 16;

/** Longest sleep: bounds how late a deadline is noticed when the wall clock jumps ahead, and keeps clear of timers' 2^31 ms. */
const MAX_SLEEP_MS = 5 * 60_000;

export interface ExpiryScheduleOptions<Item> {
  readonly clock: Clock;
  /** The time deadlines are judged by, ms since the epoch; never behind `clock.now()`. */
  readonly now: () => number;
  /** Handles items whose deadline has passed. They have left the schedule: whoever is to stay is `set` again. Must not reject. */
  readonly process: (due: readonly Item[]) => Promise<void>;
}

export class ExpirySchedule<Item extends HeapItem> {
  readonly #options: ExpiryScheduleOptions<Item>;
  // BOUNDED: by the owner, one item per stored entry.
  readonly #heap = new DeadlineHeap<Item>();
  #timer: { readonly handle: Timer; readonly wakeAt: number } | undefined;
  // BOUNDED: MAX_BATCHES_AT_WORK.
  readonly #atWork = new Set<Promise<void>>();
  #closed = false;

  constructor(options: ExpiryScheduleOptions<Item>) {
    this.#options = options;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** Batches being processed. */
  get load(): Load {
    return { size: this.#atWork.size, limit: MAX_BATCHES_AT_WORK };
  }

  /** Adds or moves. */
  set(item: Item, deadline: number): void {
    if (item.heapIndex === -1) {
      item.deadline = deadline;
      this.#heap.add(item);
    } else {
      this.#heap.move(item, deadline);
    }
    this.#arm();
  }

  delete(item: Item): void {
    if (item.heapIndex !== -1) this.#heap.remove(item);
  }

  /** Starts no further batch; resolves when those at work are done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    await Promise.all(this.#atWork);
  }

  #arm(): void {
    const earliest = this.#heap.earliest();
    if (earliest === undefined || this.#atWork.size >= MAX_BATCHES_AT_WORK || this.#closed) return;
    const { clock } = this.#options;
    const now = clock.now();
    // By the clock a due item may lie ahead: time here can be later, after the clock was set back.
    const isDue = earliest.deadline <= this.#options.now();
    const wakeAt = isDue ? now : Math.min(Math.max(earliest.deadline, now), now + MAX_SLEEP_MS);
    if (this.#timer !== undefined && this.#timer.wakeAt <= wakeAt) return;
    this.#timer?.handle.cancel();
    this.#timer = { handle: clock.setTimer(wakeAt - now, () => this.#wake()), wakeAt };
  }

  #wake(): void {
    this.#timer = undefined;
    const due = this.#takeDue();
    if (due.length > 0) {
      const batch = this.#options.process(due).finally(() => {
        this.#atWork.delete(batch);
        this.#arm();
      });
      this.#atWork.add(batch);
    }
    this.#arm();
  }

  #takeDue(): Item[] {
    const now = this.#options.now();
    const due: Item[] = [];
    for (let item = this.#heap.earliest(); item !== undefined && due.length < MAX_BATCH; item = this.#heap.earliest()) {
      if (item.deadline > now) break;
      this.#heap.remove(item);
      due.push(item);
    }
    return due;
  }
}
