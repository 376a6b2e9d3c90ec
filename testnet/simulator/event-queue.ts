/**
 * The future of a simulated world: events by time, and by order of scheduling within one time. A heap of four children with lazy cancelling,
 * because nearly every deadline is cancelled long before it is due. Times lie in an array of their own: with tens of thousands of events to
 * come, a sift that had to look into each event would wait for memory most of the time. Not here: moving time.
 */
import type { Timer } from '../../src/core/index.ts';

/** Something that will happen, and its own handle: one object for a timer, or a frame under way, which is most of what a world allocates. */
export abstract class QueuedEvent implements Timer {
  /** Where it waits. Undefined before, once cancelled, and from the moment it fires. For its queue alone. */
  queue: EventQueue | undefined;

  abstract fire(): void;

  cancel(): void {
    const { queue } = this;
    if (queue === undefined) return;
    this.queue = undefined;
    queue.noteCancelled();
  }
}

const CHILDREN = 4;
const INITIAL_CAPACITY = 1024;
/** Below this a heap full of cancelled events is not worth rebuilding. */
const COMPACT_ABOVE = 1024;

export class EventQueue {
  // BOUNDED: all three by what the world arms, place by place the same event's; cancelled events are at most half of it (plus COMPACT_ABOVE).
  #times = new Float64Array(INITIAL_CAPACITY);
  #sequences = new Float64Array(INITIAL_CAPACITY);
  #events: QueuedEvent[] = [];
  #cancelled = 0;
  #sequence = 0;

  /** Events that will fire. */
  get size(): number {
    return this.#events.length - this.#cancelled;
  }

  /** @param time ms on the queue's own scale */
  push(time: number, event: QueuedEvent): void {
    event.queue = this;
    const place = this.#events.length;
    if (place === this.#times.length) this.#grow();
    this.#events.push(event);
    this.#siftUp(place, time, this.#sequence++, event);
  }

  /** For its events alone. */
  noteCancelled(): void {
    this.#cancelled++;
    if (this.#events.length > COMPACT_ABOVE && this.#cancelled * 2 > this.#events.length) this.#compact();
  }

  /** When the next event is due; Infinity when there is none. */
  nextTime(): number {
    while (this.#events.length > 0) {
      if (this.#events[0]!.queue !== undefined) return this.#times[0]!;
      this.#removeFirst();
      this.#cancelled--;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes the next event. Call after `nextTime()` said there is one. */
  take(): QueuedEvent {
    const first = this.#events[0];
    if (first?.queue === undefined) throw new RangeError('take() needs a nextTime() that found one');
    first.queue = undefined;
    this.#removeFirst();
    return first;
  }

  #removeFirst(): void {
    const last = this.#events.pop()!;
    const place = this.#events.length;
    if (place > 0) this.#siftDown(0, this.#times[place]!, this.#sequences[place]!, last);
  }

  /** The order is total, so rebuilding the heap changes nothing that can be seen. */
  #compact(): void {
    const events = this.#events;
    let kept = 0;
    for (let i = 0; i < events.length; i++) {
      if (events[i]!.queue !== undefined) this.#place(kept++, this.#times[i]!, this.#sequences[i]!, events[i]!);
    }
    events.length = kept;
    this.#cancelled = 0;
    for (let i = Math.floor((kept - 2) / CHILDREN); i >= 0; i--) {
      this.#siftDown(i, this.#times[i]!, this.#sequences[i]!, events[i]!);
    }
  }

  #grow(): void {
    const [times, sequences] = [this.#times, this.#sequences];
    this.#times = new Float64Array(times.length * 2);
    this.#times.set(times);
    this.#sequences = new Float64Array(times.length * 2);
    this.#sequences.set(sequences);
  }

  #siftUp(start: number, time: number, sequence: number, event: QueuedEvent): void {
    let i = start;
    while (i > 0) {
      const parent = Math.floor((i - 1) / CHILDREN);
      const parentTime = this.#times[parent]!;
      // What was scheduled first stays in front: nothing pushed is older than what is there.
      if (parentTime <= time) break;
      this.#place(i, parentTime, this.#sequences[parent]!, this.#events[parent]!);
      i = parent;
    }
    this.#place(i, time, sequence, event);
  }

  #siftDown(start: number, time: number, sequence: number, event: QueuedEvent): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const { length } = this.#events;
    let i = start;
    for (;;) {
      const firstChild = CHILDREN * i + 1;
      const end = Math.min(firstChild + CHILDREN, length);
      let next = i;
      let nextTime = time;
      let nextSequence = sequence;
      for (let child = firstChild; child < end; child++) {
        const childTime = times[child]!;
        if (childTime < nextTime || (childTime === nextTime && sequences[child]! < nextSequence)) {
          next = child;
          nextTime = childTime;
          nextSequence = sequences[child]!;
        }
      }
      if (next === i) break;
      this.#place(i, nextTime, nextSequence, this.#events[next]!);
      i = next;
    }
    this.#place(i, time, sequence, event);
  }

  #place(i: number, time: number, sequence: number, event: QueuedEvent): void {
    this.#times[i] = time;
    this.#sequences[i] = sequence;
    this.#events[i] = event;
  }
}
