import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineHeap, type HeapItem } from '../../../src/registry/deadline-heap.ts';

interface Item extends HeapItem {
  readonly id: number;
}

test('whatever is added, moved and removed, the earliest is always the minimum', () => {
  const step = fc.tuple(fc.constantFrom('add', 'move', 'remove'), fc.nat(40), fc.nat(1000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const heap = new DeadlineHeap<Item>();
      const oracle = new Map<number, Item>();
      for (const [action, id, deadline] of steps) {
        const item = oracle.get(id);
        if (action === 'add' && item === undefined) {
          const added = { id, deadline, heapIndex: -1 };
          oracle.set(id, added);
          heap.add(added);
        } else if (action === 'move' && item !== undefined) {
          heap.move(item, deadline);
        } else if (action === 'remove' && item !== undefined) {
          heap.remove(item);
          oracle.delete(id);
        }
        expect(heap.size).toBe(oracle.size);
        expect(heap.earliest()?.deadline).toBe(minimum(oracle.values()));
      }
      const drained: number[] = [];
      for (let next = heap.earliest(); next !== undefined; next = heap.earliest()) {
        drained.push(next.deadline);
        heap.remove(next);
      }
      expect(drained).toEqual([...oracle.values()].map(({ deadline }) => deadline).sort((a, b) => a - b));
    }),
  );
});

function minimum(items: Iterable<Item>): number | undefined {
  const deadlines = [...items].map(({ deadline }) => deadline);
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

test('an item of another heap is a bug, not a silent corruption', () => {
  const heap = new DeadlineHeap<Item>();
  const item = { id: 1, deadline: 1, heapIndex: -1 };
  expect(() => heap.remove(item)).toThrow('only an item of this heap');
  heap.add(item);
  expect(() => heap.add(item)).toThrow('added once');
});
