import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLmdbStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';

const cases = storageConformance({
  isPersistent: true,
  open: async (clock) => {
    const directory = await mkdtemp(join(tmpdir(), 'nautilus-lmdb-'));
    const open = () => openLmdbStorage({ directory, clock });
    return { storage: await open(), reopen: open, dispose: () => rm(directory, { recursive: true }) };
  },
});

for (const { name, skip, run } of cases) {
  test(`lmdb: ${name}`, (context) => (skip === undefined ? run() : context.skip(skip)));
}

test('lmdb skips only what needs a bound of its own', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toHaveLength(3);
});
