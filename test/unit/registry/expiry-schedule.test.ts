import { expect, test } from 'vitest';
import type { HeapItem } from '../../../src/registry/deadline-heap.ts';
import { ExpirySchedule } from '../../../src/registry/expiry-schedule.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Item extends HeapItem {
  readonly id: number;
}

const item = (id: number): Item => ({ id, deadline: 0, heapIndex: -1 });

function setUp(process?: (due: readonly Item[]) => Promise<void>) {
  const clock = new ManualClock();
  const fired: { readonly id: number; readonly lateMs: number }[] = [];
  const record = async (due: readonly Item[]) => {
    fired.push(...due.map(({ id, deadline }) => ({ id, lateMs: clock.now() - deadline })));
  };
  const schedule = new ExpirySchedule<Item>({ clock, now: () => clock.now(), process: process ?? record });
  return { clock, fired, schedule, start: clock.now() };
}

test('with a hundred thousand deadlines pending each fires exactly at its own, with one timer armed', async () => {
  const { clock, fired, schedule, start } = setUp();
  const hour = 3_600_000;
  for (let id = 0; id < 100_000; id++) schedule.set(item(id), start + hour + ((id * 7_919) % 100_000) * 100);
  for (let id = 100_000; id < 100_050; id++) schedule.set(item(id), start + (id - 99_999) * 10);
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(1_000);
  expect(fired.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, n) => 100_000 + n));
  expect(fired.every(({ lateMs }) => lateMs === 0)).toBe(true);
  expect(schedule.size).toBe(100_000);
  expect(clock.pendingTimers).toBe(1);
});

test('a deadline moved later, sooner or away fires as last said', async () => {
  const { clock, fired, schedule, start } = setUp();
  const [later, sooner, gone] = [item(1), item(2), item(3)];
  for (const each of [later, sooner, gone]) schedule.set(each, start + 100);
  schedule.set(later, start + 300);
  schedule.set(sooner, start + 50);
  schedule.delete(gone);
  await clock.advance(1_000);
  expect(fired).toEqual([
    { id: 2, lateMs: 0 },
    { id: 1, lateMs: 0 },
  ]);
});

test('a deadline further away than a timer can count is slept towards in pieces', async () => {
  const { clock, fired, schedule, start } = setUp();
  const days = 40 * 24 * 3_600_000;
  schedule.set(item(1), start + days);
  await clock.advance(days - 1);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual([{ id: 1, lateMs: 0 }]);
});

test('a wall clock that jumps ahead is noticed within five minutes', async () => {
  const { clock, fired, schedule, start } = setUp();
  schedule.set(item(1), start + 24 * 3_600_000);
  clock.setWall(start + 48 * 3_600_000);
  await clock.advance(5 * 60_000);
  expect(fired).toHaveLength(1);
});

test('a burst leaves in small batches, a turn each, and no more than sixteen are at work at once', async () => {
  const batches: { readonly size: number; finish(): void }[] = [];
  const { clock, schedule, start } = setUp((due) => {
    return new Promise((finish) => batches.push({ size: due.length, finish: () => finish() }));
  });
  for (let id = 0; id < 200; id++) schedule.set(item(id), start + 10);
  await clock.advance(1_000);
  expect(batches.map(({ size }) => size)).toEqual(Array.from({ length: 16 }, () => 8));
  expect(clock.pendingTimers).toBe(0);
  for (const { finish } of [...batches]) finish();
  await clock.advance(0);
  expect(batches.map(({ size }) => size)).toEqual(Array.from({ length: 25 }, () => 8));
});

test('closing waits for the batches at work, starts no other and leaves no timer', async () => {
  const finish: (() => void)[] = [];
  const { clock, schedule, start } = setUp(() => new Promise((resolve) => finish.push(resolve)));
  for (let id = 0; id < 200; id++) schedule.set(item(id), start + 10);
  await clock.advance(10);
  let isClosed = false;
  const closing = schedule.close().then(() => {
    isClosed = true;
  });
  for (const end of finish.splice(1)) end();
  await clock.advance(0);
  expect(isClosed).toBe(false);
  for (const end of finish) end();
  await closing;
  expect({ size: schedule.size, timers: clock.pendingTimers }).toEqual({ size: 200 - 16 * 8, timers: 0 });
});
