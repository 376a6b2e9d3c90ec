import { describe, expect, test } from 'vitest';
import { firstAnswer } from '../../../src/replication/hedge.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Candidates answer when told to. */
function candidates(count: number) {
  const answers = new Map<number, (answer: string | undefined) => void>();
  const names = Array.from({ length: count }, (_, i) => i);
  const attempt = (candidate: number) => new Promise<string | undefined>((resolve) => answers.set(candidate, resolve));
  return {
    names,
    attempt,
    started: () => [...answers.keys()],
    answer: (i: number, text?: string) => answers.get(i)?.(text),
  };
}

describe('firstAnswer', () => {
  test('asks one candidate while it is quick', async () => {
    const clock = new ManualClock();
    const { names, attempt, started, answer } = candidates(3);
    const result = firstAnswer(names, attempt, { clock, hedgeAfterMs: () => 100 });
    answer(0, 'first');
    expect(await result).toBe('first');
    await clock.advance(1_000);
    expect(started()).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('asks the next at once after a failure and as well after silence', async () => {
    const clock = new ManualClock();
    const { names, attempt, started, answer } = candidates(3);
    const result = firstAnswer(names, attempt, { clock, hedgeAfterMs: () => 100 });
    answer(0);
    await clock.advance(0);
    expect(started()).toEqual([0, 1]);
    await clock.advance(100);
    expect(started()).toEqual([0, 1, 2]);
    answer(1, 'late but first');
    expect(await result).toBe('late but first');
  });

  test('has no answer when everybody failed, or nobody was there', async () => {
    const clock = new ManualClock();
    const { names, attempt, answer } = candidates(2);
    const result = firstAnswer(names, attempt, { clock, hedgeAfterMs: () => 100 });
    await clock.advance(100);
    answer(1);
    answer(0);
    expect(await result).toBeUndefined();
    expect(await firstAnswer([], attempt, { clock, hedgeAfterMs: () => 100 })).toBeUndefined();
  });
});
