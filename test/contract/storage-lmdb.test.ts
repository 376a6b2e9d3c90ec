import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createStateStore, openLmdbStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';
import { ManualClock } from '../support/manual-clock.ts';

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

test('what others could read, of a copy made carelessly, is private again before anything is written to it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nautilus-lmdb-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'data.mdb');
  const clock = new ManualClock();
  const keep = async (text: string) => {
    const storage = await openLmdbStorage({ directory, clock });
    await createStateStore(storage).set('storage', Buffer.from(text));
    const { mode } = await stat(file);
    await storage.close();
    return mode & 0o777;
  };
  expect(await keep('redis://:first@host')).toBe(0o600);
  await chmod(file, 0o644);
  await chmod(directory, 0o755);
  expect(await keep('redis://:second@host')).toBe(0o600);
});
