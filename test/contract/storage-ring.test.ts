/** A ring is a storage: the suite, on rings whose shards are all there. What happens when one is not: test/unit/registry/ring, test/property. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Clock, SILENT_OBSERVER } from '../../src/core/index.ts';
import { MemoryStorage, openLmdbStorage, openRing, type RegistryStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) };

interface Source {
  readonly name: string;
  open(): Promise<RegistryStorage>;
}

async function ringOf(clock: Clock, sources: readonly Source[], copies = 1): Promise<RegistryStorage> {
  const shards = sources.map((source) => ({ weight: 1, ...source }));
  return (await openRing({ shards, copies, clock, random, observer: SILENT_OBSERVER })).storage;
}

function memories(clock: Clock, count: number): readonly Source[] {
  return Array.from({ length: count }, (_, n) => ({
    name: `memory-${n}`,
    open: async () => new MemoryStorage({ clock }),
  }));
}

const freshDirectory = () => mkdtemp(join(tmpdir(), 'nautilus-ring-'));
const lmdb = (directory: string, clock: Clock): Source => ({
  name: directory,
  open: () => openLmdbStorage({ directory, clock }),
});

const suites = {
  'a ring of two memories': storageConformance({
    open: async (clock) => ({ storage: await ringOf(clock, memories(clock, 2)) }),
  }),
  'a ring of three memories with two copies': storageConformance({
    open: async (clock) => ({ storage: await ringOf(clock, memories(clock, 3), 2) }),
  }),
  'a ring of memory and lmdb': storageConformance({
    open: async (clock) => {
      const directory = await freshDirectory();
      const storage = await ringOf(clock, [...memories(clock, 1), lmdb(directory, clock)]);
      return { storage, dispose: () => rm(directory, { recursive: true }) };
    },
  }),
  'a ring of two lmdb': storageConformance({
    isPersistent: true,
    open: async (clock) => {
      const directories = [await freshDirectory(), await freshDirectory()];
      const open = () =>
        ringOf(
          clock,
          directories.map((directory) => lmdb(directory, clock)),
        );
      const dispose = async () => {
        for (const directory of directories) await rm(directory, { recursive: true });
      };
      return { storage: await open(), reopen: open, dispose };
    },
  }),
};

/** On two disks only what the ring with one disk could not run: the rest would be the same again. */
const isNew = (ring: string, index: number) =>
  ring !== 'a ring of two lmdb' || suites['a ring of memory and lmdb'][index]?.skip !== undefined;

for (const [ring, cases] of Object.entries(suites)) {
  for (const { name, skip, run } of cases.filter((_, index) => isNew(ring, index))) {
    test(`${ring}: ${name}`, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
}

test('rings skip what needs a bound of their own, and those with a memory what needs a disk', () => {
  const skipped = Object.values(suites).map((cases) => cases.filter(({ skip }) => skip !== undefined).length);
  expect(skipped).toEqual([7, 7, 7, 3]);
});
