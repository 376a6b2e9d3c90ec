import { describe, expect, test } from 'vitest';
import { BoundedMap, TokenBucket } from '../../../src/core/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('TokenBucket', () => {
  test('spends a burst, then the rate', async () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(clock, { perSecond: 10, burst: 3 });
    expect([1, 2, 3, 4].map(() => bucket.trySpend())).toEqual([true, true, true, false]);
    await clock.advance(100);
    expect([bucket.trySpend(), bucket.trySpend()]).toEqual([true, false]);
    await clock.advance(60_000);
    expect(bucket.trySpend(3)).toBe(true);
    expect(bucket.trySpend()).toBe(false);
  });
});

describe('BoundedMap', () => {
  test('forgets the least recently used', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
  });
});
