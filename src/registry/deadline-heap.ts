/**
 * Things with a deadline, earliest first: a binary heap that knows where each of its items is, so that moving or dropping one is exact and
 * nothing stale is ever left behind. An item is in at most one heap.
 */
import { assert } from '../core/index.ts';

export interface HeapItem {
  /** ms since the epoch. Changed only through `DeadlineHeap.move`. */
  deadline: number;
  /** Owned by the heap; -1 while outside. */
  heapIndex: number;
}

export class DeadlineHeap<Item extends HeapItem> {
  // BOUNDED: by the owner, one item per stored entry.
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  earliest(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    assert(item.heapIndex === -1, 'an item is added once');
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  move(item: Item, deadline: number): void {
    assert(this.#items[item.heapIndex] === item, 'only an item of this heap can be moved');
    const later = deadline > item.deadline;
    item.deadline = deadline;
    if (later) this.#sink(item);
    else this.#rise(item);
  }

  remove(item: Item): void {
    assert(this.#items[item.heapIndex] === item, 'only an item of this heap can be removed');
    const last = this.#items.pop()!;
    if (last !== item) {
      this.#place(last, item.heapIndex);
      this.#rise(last);
      this.#sink(last);
    }
    item.heapIndex = -1;
  }

  clear(): void {
    for (const item of this.#items) item.heapIndex = -1;
    this.#items.length = 0;
  }

  #rise(item: Item): void {
    let index = item.heapIndex;
    while (index > 0) {
      const parent = this.#items[(index - 1) >> 1]!;
      if (parent.deadline <= item.deadline) break;
      const parentIndex = parent.heapIndex;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(item, index);
  }

  #sink(item: Item): void {
    let index = item.heapIndex;
    for (;;) {
      const left = this.#items[2 * index + 1];
      if (left === undefined) break;
      const right = this.#items[2 * index + 2];
      const child = right !== undefined && right.deadline < left.deadline ? right : left;
      if (child.deadline >= item.deadline) break;
      const childIndex = child.heapIndex;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(item, index);
  }

  #place(item: Item, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}
