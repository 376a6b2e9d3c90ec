import { describe, expect, it } from 'vitest';
import { NodeClock } from '../../../testnet/simulator/node-clock.ts';
import { VirtualClock } from '../../../testnet/simulator/virtual-clock.ts';

describe('VirtualClock', () => {
  it('fires events by time, and by order of arming within one time', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push('late'));
    clock.setTimer(10, () => fired.push('first'));
    clock.setTimer(10, () => fired.push('second'));
    expect(await clock.run()).toBe('idle');
    expect(fired).toEqual(['first', 'second', 'late']);
    expect(clock.monotonic()).toBe(20);
  });

  it('runs every promise job an event started before it moves time', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const work = async (turns: number) => {
      for (let i = 0; i < turns; i++) await null;
      seen.push(clock.monotonic());
    };
    clock.setTimer(1, () => void work(500));
    clock.setTimer(2, () => void work(1));
    await clock.run();
    expect(seen).toEqual([1, 2]);
  });

  it('keeps the order of a model queue when thousands of timers are armed and most are cancelled', async () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const expected: { at: number; i: number }[] = [];
    for (let i = 0; i < 20_000; i++) {
      const at = (i * 7919) % 1009;
      const timer = clock.setTimer(at, () => fired.push(i));
      if (i % 10 === 0) expected.push({ at, i });
      else timer.cancel();
    }
    expect(clock.pendingEvents).toBe(2000);
    await clock.run();
    expected.sort((a, b) => a.at - b.at || a.i - b.i);
    expect(fired).toEqual(expected.map(({ i }) => i));
  });

  it('stands exactly at the limit when it stops for time, and goes on from there', async () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    clock.setTimer(100, () => fired.push(clock.monotonic()));
    expect(await clock.run({ untilMs: 99.5 })).toBe('time');
    expect(clock.monotonic()).toBe(99.5);
    expect(fired).toEqual([]);
    expect(await clock.run({ untilMs: 100 })).toBe('time');
    expect(fired).toEqual([100]);
  });

  it('says so when an operation waits for what never comes', async () => {
    const clock = new VirtualClock();
    clock.setTimer(5, () => undefined);
    await expect(clock.settle(new Promise(() => undefined))).rejects.toThrow(
      /never ended: nothing is left .* at 5\.000 ms/,
    );
  });

  it('hands on what an operation returns or throws, at the time it does', async () => {
    const clock = new VirtualClock();
    const later = new Promise((resolve) => clock.setTimer(7, () => resolve('value')));
    clock.setTimer(8, () => expect.unreachable());
    expect(await clock.settle(later)).toBe('value');
    expect(clock.monotonic()).toBe(7);
    await expect(clock.settle(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  });

  it('lets an error thrown by an event end the run', async () => {
    const clock = new VirtualClock();
    clock.setTimer(1, () => {
      throw new Error('a bug');
    });
    await expect(clock.run()).rejects.toThrow('a bug');
  });
});

describe('NodeClock', () => {
  it('differs from the world by its skew and drift', async () => {
    const world = new VirtualClock();
    const node = new NodeClock(world, { skewMs: -3_600_000, driftPpm: 100 });
    expect(node.now()).toBe(world.now() - 3_600_000);
    await world.run({ untilMs: 1_000_000 });
    expect(node.monotonic()).toBeCloseTo(1_000_100, 6);
    expect(node.now() - world.now()).toBe(-3_600_000 + 100);
  });

  it('fires timers of a paused node when it goes on, in their order, and cancelled ones never', async () => {
    const world = new VirtualClock();
    const node = new NodeClock(world);
    const fired: string[] = [];
    node.setTimer(1, () => fired.push(`a at ${world.monotonic()}`));
    node.setTimer(2, () => fired.push(`b at ${world.monotonic()}`)).cancel();
    node.setTimer(3, () => fired.push(`c at ${world.monotonic()}`));
    node.pause();
    await world.run({ untilMs: 10 });
    expect(fired).toEqual([]);
    node.resume();
    await world.run({ untilMs: 20 });
    expect(fired).toEqual(['a at 10', 'c at 10']);
  });

  it('lets no timer of a killed node fire', async () => {
    const world = new VirtualClock();
    const node = new NodeClock(world);
    node.setTimer(1, () => expect.unreachable());
    node.kill();
    expect(await world.run()).toBe('idle');
  });
});
