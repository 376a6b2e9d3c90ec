/** Many more histories than ring-failover.test.ts has time for. */
import fc from 'fast-check';
import { test } from 'vitest';
import { checkRingHistory, ringSteps } from '../support/ring-history.ts';

test.each([1, 2])('two thousand histories of a ring (copies: %i)', async (copies) => {
  await fc.assert(
    fc.asyncProperty(ringSteps, (history) => checkRingHistory(copies, history)),
    { numRuns: 2_000 },
  );
});
