import { test } from 'vitest';
import { expectBounded } from '../support/bounded-memory.ts';

test('a process with 100,000 records offered to a memory storage of 6.4 MB grows by no more than half as much again', async () => {
  await expectBounded(100_000, 6_400_000);
});
