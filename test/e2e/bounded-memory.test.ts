import { test } from 'vitest';
import { expectBounded } from '../support/bounded-memory.ts';

test('a process with 200,000 records offered to a memory storage of 64 MB grows by no more than half as much again', async () => {
  await expectBounded(200_000, 64_000_000);
});
