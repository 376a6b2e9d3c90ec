import { describe, expect, test } from 'vitest';
import { KHistory } from '../../../src/replication/k-history.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MapStateStore } from '../../support/map-state-store.ts';

const HOUR_MS = 3_600_000;

describe('KHistory', () => {
  test('calls less than half of the largest lately degraded', async () => {
    const history = await KHistory.restore({ state: new MapStateStore(), clock: new ManualClock() });
    expect(await history.observe(12)).toEqual({ degraded: false });
    expect(await history.observe(6)).toEqual({ degraded: false });
    expect(await history.observe(5)).toEqual({ degraded: true });
  });

  test('remembers across a restart, and forgets after a day', async () => {
    const state = new MapStateStore();
    const clock = new ManualClock();
    await (await KHistory.restore({ state, clock })).observe(20);
    await clock.advance(23 * HOUR_MS);
    expect(await (await KHistory.restore({ state, clock })).observe(3)).toEqual({ degraded: true });
    await clock.advance(HOUR_MS);
    expect(await (await KHistory.restore({ state, clock })).observe(3)).toEqual({ degraded: false });
  });

  test('is not confused by a clock that was set back', async () => {
    const clock = new ManualClock();
    const history = await KHistory.restore({ state: new MapStateStore(), clock });
    await history.observe(20);
    clock.setWall(clock.now() - 5 * HOUR_MS);
    expect(await history.observe(10)).toEqual({ degraded: false });
  });
});
