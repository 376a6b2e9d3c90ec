import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/platform/index.ts';

const DAY_MS = 24 * 3_600_000;

describe('the system clock', () => {
  it('tells the time of the machine and a time that only grows', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });

  it('never fires before the delay is over by its own monotonic time', async () => {
    const late = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const dueAt = systemClock.monotonic() + i / 4;
        return new Promise<number>((resolve) => {
          const keepAlive = setInterval(() => undefined, 1_000);
          systemClock.setTimer(i / 4, () => {
            clearInterval(keepAlive);
            resolve(systemClock.monotonic() - dueAt);
          });
        });
      }),
    );
    expect(late.filter((ms) => ms < 0)).toEqual([]);
  });

  it('rejects a delay that is not a number', () => {
    expect(() => systemClock.setTimer(Number.NaN, () => undefined)).toThrow('a timer needs a delay');
  });

  it('lets a process end while a timer is pending', () => {
    const armed = vi.spyOn(globalThis, 'setTimeout');
    const timer = systemClock.setTimer(1e6, () => undefined);
    const handle = armed.mock.results[0]?.value as NodeJS.Timeout;
    expect(handle.hasRef()).toBe(false);
    timer.cancel();
    armed.mockRestore();
  });
});

describe('a timer of the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits out a delay that is too long for one timer of Node', () => {
    const fired = vi.fn();
    systemClock.setTimer(60 * DAY_MS, fired);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledOnce();
  });

  it('can be cancelled, also after its first leg and more than once', () => {
    const fired = vi.fn();
    const timer = systemClock.setTimer(60 * DAY_MS, fired);
    vi.advanceTimersByTime(40 * DAY_MS);
    timer.cancel();
    timer.cancel();
    vi.advanceTimersByTime(40 * DAY_MS);
    expect(fired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never fires when the delay is infinite', () => {
    const fired = vi.fn();
    const timer = systemClock.setTimer(Number.POSITIVE_INFINITY, fired);
    vi.advanceTimersByTime(200 * DAY_MS);
    expect(fired).not.toHaveBeenCalled();
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
