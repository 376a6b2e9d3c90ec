/** Whatever happens to its shards, a ring says what was acknowledged last (see ring-history.ts). A longer run: ring-failover.long.ts. */
import fc from 'fast-check';
import { test } from 'vitest';
import { checkRingHistory, ringSteps, type Step } from '../support/ring-history.ts';

/** Histories that went wrong once, as small as they could be made. */
const FOUND: readonly (readonly Step[])[] = [
  // A scan took two lost pages for one.
  [
    { do: 'storeIf', key: 0 },
    { do: 'mood', shard: 1, mood: 'failing' },
    { do: 'mood', shard: 2, mood: 'hanging' },
    { do: 'scan' },
  ],
  // A drain was written to some shards, and failed.
  [{ do: 'mood', shard: 0, mood: 'lying' }, { do: 'storeIf', key: 1 }, { do: 'drain', shard: 0 }, { do: 'kill' }],
  // The only shard that knew of a drain that failed was away when the next process began.
  [
    { do: 'mood', shard: 1, mood: 'hanging' },
    { do: 'mood', shard: 0, mood: 'lying' },
    { do: 'mood', shard: 2, mood: 'hanging' },
    { do: 'drain', shard: 0 },
    { do: 'mood', shard: 1, mood: 'well' },
    { do: 'mood', shard: 0, mood: 'failing' },
    { do: 'kill' },
    { do: 'drain', shard: 0 },
  ],
  // What was removed came back from a shard that was being drained, and away.
  [
    { do: 'storeIf', key: 4 },
    { do: 'mood', shard: 1, mood: 'hanging' },
    { do: 'drain', shard: 1 },
    { do: 'remove', key: 4 },
  ],
  // Two hints for one key, of which the removal covered one.
  [
    { do: 'mood', shard: 1, mood: 'failing' },
    { do: 'mood', shard: 0, mood: 'lying' },
    { do: 'storeIf', key: 2 },
    { do: 'drain', shard: 0 },
    { do: 'mood', shard: 0, mood: 'well' },
    { do: 'wait', ms: 20_000 },
    { do: 'remove', key: 2 },
  ],
  // A hint came home behind a scan's back.
  [
    { do: 'mood', shard: 1, mood: 'hanging' },
    { do: 'storeIf', key: 1 },
    { do: 'mood', shard: 1, mood: 'well' },
    { do: 'mood', shard: 0, mood: 'hanging' },
    { do: 'scan' },
  ],
];

test.each([1, 2])(
  'whatever fails, nothing acknowledged is lost, goes backwards or comes back (copies: %i)',
  async (copies) => {
    await fc.assert(
      fc.asyncProperty(ringSteps, (history) => checkRingHistory(copies, history)),
      { numRuns: 40, examples: FOUND.map((history) => [[...history]]) },
    );
  },
);
