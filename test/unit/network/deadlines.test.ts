import { describe, expect, it } from 'vitest';
import { type Deadline, Deadlines } from '../../../src/network/deadlines.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function recorder(clock: ManualClock) {
  const expired: [name: string, at: number][] = [];
  const deadline = (name: string, then: () => void = () => undefined): Deadline => ({
    dueTick: 0,
    expire: () => {
      expired.push([name, clock.monotonic()]);
      then();
    },
  });
  return { expired, deadline };
}

describe('Deadlines', () => {
  it('expires each one never early, at most a tick late, whatever the order they were added in', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const { expired, deadline } = recorder(clock);
    for (const ms of [500, 50, 1, 3_000, 57]) deadlines.add(deadline(String(ms)), ms);
    await clock.advance(4_000);
    expect(expired.map(([name]) => Number(name))).toEqual([1, 50, 57, 500, 3_000]);
    for (const [name, at] of expired) {
      expect(at).toBeGreaterThanOrEqual(Number(name));
      expect(at).toBeLessThanOrEqual(Number(name) + 20);
    }
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps one timer for a thousand, and forgets removed ones', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const { expired, deadline } = recorder(clock);
    const all = Array.from({ length: 1000 }, (_, i) => deadline(String(i)));
    for (const [i, each] of all.entries()) deadlines.add(each, 100 + (i % 50));
    expect(clock.pendingTimers).toBe(1);
    for (const each of all.slice(1)) deadlines.remove(each);
    await clock.advance(1_000);
    expect(expired.map(([name]) => name)).toEqual(['0']);
  });

  it('lets one that expires remove another, add an earlier one, and add itself again', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const { expired, deadline } = recorder(clock);
    const victim = deadline('victim');
    let again = 2;
    const first: Deadline = deadline('first', () => {
      deadlines.remove(victim);
      deadlines.add(deadline('early'), 10);
      if (--again > 0) deadlines.add(first, 100);
    });
    deadlines.add(first, 50);
    deadlines.add(victim, 50);
    deadlines.add(deadline('late'), 5_000);
    await clock.advance(6_000);
    expect(expired.map(([name]) => name)).toEqual(['first', 'early', 'first', 'early', 'late']);
  });

  it('moves one that is added twice', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const { expired, deadline } = recorder(clock);
    const each = deadline('moved');
    deadlines.add(each, 50);
    deadlines.add(each, 500);
    await clock.advance(400);
    expect(expired).toEqual([]);
    await clock.advance(400);
    expect(expired).toHaveLength(1);
  });
});
