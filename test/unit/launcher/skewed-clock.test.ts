import { expect, it } from 'vitest';
import { SkewedClock } from '../../../testnet/launcher/skewed-clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';

it('a clock that was set wrong shows another time, and its timers do not notice', async () => {
  const real = new ManualClock(1_000_000);
  const clock = new SkewedClock(real, -5_000);
  expect(clock.now()).toBe(995_000);
  let hasFired = false;
  clock.setTimer(10, () => {
    hasFired = true;
  });
  clock.skewMs = 60_000;
  await real.advance(10);
  expect([clock.now(), clock.monotonic(), hasFired]).toEqual([1_060_010, 10, true]);
});
