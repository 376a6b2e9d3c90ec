import { expect, test } from 'vitest';
import type { Clock } from '../../src/core/index.ts';
import { MemoryStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';
import { FlushingStorage } from '../../testnet/simulator/flushing-storage.ts';
import { SeededRandom } from '../../testnet/simulator/index.ts';

/** The suite's clock stands still; the disk works meanwhile. */
function withWorkingDisk(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (_delayMs, callback) => {
      const turn = setImmediate(callback);
      return { cancel: () => clearImmediate(turn) };
    },
  };
}

function open(clock: Clock, maxEntries?: number) {
  const storage = new FlushingStorage({
    inner: new MemoryStorage({ clock, maxEntries }),
    clock: withWorkingDisk(clock),
    random: new SeededRandom('disk'),
    flushMs: [1, 10],
  });
  return {
    storage,
    reopen: async () => {
      await storage.restart();
      return storage;
    },
  };
}

const cases = storageConformance({
  open: async (clock) => open(clock),
  openBounded: async (clock, maxEntries) => open(clock, maxEntries),
  isPersistent: true,
});

for (const { name, skip, run } of cases) {
  test(`flushing memory: ${name}`, (context) => (skip === undefined ? run() : context.skip(skip)));
}

test('the suite has all its cases, and none is skipped', () => {
  expect(cases.length).toBeGreaterThanOrEqual(65);
  expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([]);
});
