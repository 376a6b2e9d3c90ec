import { test } from 'vitest';
import { expectBounded } from '../support/bounded-memory.ts';

test('a process with a million records offered to a memory storage of 64 MB grows by no more than half as much again', async () => {
  await expectBounded(1_000_000, 64_000_000);
});
