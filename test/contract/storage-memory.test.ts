import { expect, test } from 'vitest';
import { MemoryStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';

const cases = storageConformance({
  open: async (clock) => ({ storage: new MemoryStorage({ clock }) }),
  openBounded: async (clock, maxEntries) => ({ storage: new MemoryStorage({ clock, maxEntries }) }),
});

for (const { name, skip, run } of cases) {
  test(`memory: ${name}`, (context) => (skip === undefined ? run() : context.skip(skip)));
}

test('the suite has all its cases, and memory skips only what needs a disk', () => {
  expect(cases.length).toBeGreaterThanOrEqual(65);
  expect(cases.filter(({ skip }) => skip !== undefined)).toHaveLength(4);
});
