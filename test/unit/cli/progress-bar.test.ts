import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ProgressBar } from '../../../src/cli/progress-bar.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const ERASE = '\r\u001b[K';

/** What it writes to a terminal, and after how long it is told of progress. */
function terminal(isTTY = true, json = false) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
  const bar = new ProgressBar('record', { json, stream });
  const updateAfter = (ms: number, done: number, fraction?: number) => {
    vi.advanceTimersByTime(ms);
    bar.update(done, fraction);
  };
  return { bar, written, updateAfter };
}

it('appears when it takes over a second, and at most ten times a second', () => {
  const { written, updateAfter } = terminal();
  updateAfter(999, 499, 0.49);
  expect(written).toEqual([]);
  updateAfter(1, 500, 0.5);
  updateAfter(99, 501, 0.5);
  expect(written).toEqual([`${ERASE}[${'█'.repeat(12)}${'░'.repeat(12)}] 50 % 500 records, 500/s`]);
  updateAfter(1, 550);
  expect(written.at(-1)).toBe(`${ERASE}550 records, 500/s`);
});

it('makes room for another line, and is back with the next update', () => {
  const { bar, written, updateAfter } = terminal();
  bar.hide();
  expect(written).toEqual([]);
  updateAfter(1_000, 1);
  bar.hide();
  bar.hide();
  expect(written.slice(1)).toEqual([ERASE]);
  updateAfter(100, 2);
  expect(written.at(-1)).toContain('2 records');
});

it('is for people at a terminal', () => {
  for (const { written, updateAfter } of [terminal(false), terminal(true, true)]) {
    updateAfter(5_000, 1);
    expect(written).toEqual([]);
  }
});
