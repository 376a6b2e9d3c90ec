import { describe, expect, it } from 'vitest';
import { mapInOrder } from '../../../src/commands/map-in-order.ts';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('mapInOrder', () => {
  it('hands out results in the order of the items, not of their completion', async () => {
    const release: (() => void)[] = [];
    const results = collect(
      mapInOrder([0, 1, 2], 3, async (n) => {
        await new Promise<void>((resolve) => {
          release[n] = resolve;
        });
        return n * 10;
      }),
    );
    await Promise.resolve();
    for (const n of [2, 0, 1]) release[n]?.();
    expect(await results).toEqual([0, 10, 20]);
  });

  it('works on as many items at once as it may, and never on more', async () => {
    let now = 0;
    let peak = 0;
    const work = async () => {
      peak = Math.max(peak, ++now);
      await Promise.resolve();
      now -= 1;
    };
    await collect(mapInOrder(Array.from({ length: 50 }), 7, work));
    expect(peak).toBe(7);
  });

  it('begins nothing more after an abort, and says why it ended', async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    const results = mapInOrder(
      [1, 2, 3],
      1,
      async (n) => {
        begun.push(n);
        if (n === 2) abort.abort(new Error('enough'));
        return n;
      },
      abort.signal,
    );
    await expect(collect(results)).rejects.toThrow('enough');
    expect(begun).toEqual([1, 2]);
  });

  it('ends with the error of work that should not have thrown', async () => {
    const results = mapInOrder([1, 2], 2, async (n) => {
      if (n === 2) throw new Error('a bug');
      return n;
    });
    await expect(collect(results)).rejects.toThrow('a bug');
  });

  it('has nothing to say about nothing', async () => {
    expect(await collect(mapInOrder([], 4, async () => 1))).toEqual([]);
  });
});
