import { describe, expect, test } from 'vitest';
import { HOT_WINDOW_MS, HotKeys } from '../../../../src/registry/ring/hot-keys.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

describe('hot keys', () => {
  test('are those asked for most, among very many, and never counted too low', () => {
    const hot = new HotKeys(new ManualClock());
    for (let n = 0; n < 30_000; n++) {
      hot.note(`cold ${n}`);
      if (n % 10 === 0) hot.note('hottest');
      if (n % 20 === 0) hot.note('hot');
    }
    const [first, second, ...others] = hot.top();
    expect([first?.group, second?.group, others]).toEqual(['hottest', 'hot', []]);
    expect(first!.calls).toBeGreaterThanOrEqual(3_000);
    expect(first!.calls).toBeLessThan(3_000 + 0.01 * 34_500);
  });

  test('are forgotten when nobody asks any more', async () => {
    const clock = new ManualClock();
    const hot = new HotKeys(clock);
    for (let n = 0; n < 500; n++) hot.note('yesterday');
    await clock.advance(HOT_WINDOW_MS / 2);
    expect(hot.top()).toEqual([{ group: 'yesterday', calls: 500 }]);
    await clock.advance(HOT_WINDOW_MS / 2);
    expect(hot.top()).toEqual([]);
  });

  test('are none where little is asked, or everything alike', () => {
    const hot = new HotKeys(new ManualClock());
    for (let n = 0; n < 50; n++) hot.note('few');
    for (let n = 0; n < 20_000; n++) hot.note(`key ${n % 1_000}`);
    expect(hot.top()).toEqual([]);
  });
});
