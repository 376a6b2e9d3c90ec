import { describe, expect, it } from 'vitest';
import { BoundedCache } from '../../../src/platform/bounded-cache.ts';

describe('a bounded cache', () => {
  it('drops the entry that was not asked for the longest', () => {
    const cache = new BoundedCache<string, number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    expect(cache.get('a')).toBe(1);
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });

  it('never grows over its capacity, and setting again does not drop others', () => {
    const cache = new BoundedCache<number, number>(10);
    for (let i = 0; i < 100; i++) cache.set(i, i);
    expect(cache.size).toBe(10);
    cache.set(99, -1);
    expect(cache.size).toBe(10);
    expect([cache.get(90), cache.get(99)]).toEqual([90, -1]);
  });
});
