/**
 * The future of a simulated world: callbacks by time, and by order of scheduling within one time. A binary heap with lazy cancelling, because
 * nearly every deadline is cancelled long before it is due. Not here: moving time.
 */
import type { Timer } from '../../src/core/index.ts';

/** An event is its own handle: one allocation for a timer, which is most of what a world allocates. */
class QueuedEvent implements Timer {
  readonly time: number;
  readonly sequence: number;
  /** Undefined once cancelled or taken. */
  callback: (() => void) | undefined;
  readonly #queue: EventQueue;

  constructor(queue: EventQueue, time: number, sequence: number, callback: () => void) {
    this.#queue = queue;
    this.time = time;
    this.sequence = sequence;
    this.callback = callback;
  }

  cancel(): void {
    if (this.callback === undefined) return;
    this.callback = undefined;
    this.#queue.noteCancelled();
  }
}

/** Below this a heap full of cancelled events is not worth rebuilding. */
const COMPACT_ABOVE = 1024;

export class EventQueue {
  // BOUNDED: by what the world arms; cancelled events are at most half of it (plus COMPACT_ABOVE).
  #heap: QueuedEvent[] = [];
  #cancelled = 0;
  #sequence = 0;

  /** Events that will fire. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** @param time ms on the queue's own scale */
  push(time: number, callback: () => void): Timer {
    const event = new QueuedEvent(this, time, this.#sequence++, callback);
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1, event);
    return event;
  }

  /** For its events alone. */
  noteCancelled(): void {
    this.#cancelled++;
    if (this.#heap.length > COMPACT_ABOVE && this.#cancelled * 2 > this.#heap.length) this.#compact();
  }

  /** When the next event is due; Infinity when there is none. */
  nextTime(): number {
    while (this.#heap.length > 0) {
      const first = this.#heap[0]!;
      if (first.callback !== undefined) return first.time;
      this.#removeFirst();
      this.#cancelled--;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes the next event's callback. Call after `nextTime()` said there is one. */
  take(): () => void {
    const first = this.#heap[0];
    const callback = first?.callback;
    if (first === undefined || callback === undefined) throw new RangeError('take() needs a nextTime() that found one');
    first.callback = undefined;
    this.#removeFirst();
    return callback;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#siftDown(0, last);
  }

  /** The order is total, so rebuilding the heap changes nothing that can be seen. */
  #compact(): void {
    this.#heap = this.#heap.filter(({ callback }) => callback !== undefined);
    this.#cancelled = 0;
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#siftDown(i, this.#heap[i]!);
  }

  #siftUp(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  #siftDown(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    let i = start;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = event;
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}
