import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isNautilusError } from '../../src/core/index.ts';
import { openLmdbStorage, type RegistryStorage } from '../../src/registry/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const run = promisify(execFile);
const clock = new ManualClock();
let base: string;
let mountFailure: string | undefined;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'nautilus-full-'));
  mountFailure = await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'nautilus-test', base]).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (mountFailure !== undefined && process.env.CI !== undefined) {
    throw new Error(`CI must be able to mount a tmpfs: ${mountFailure}`);
  }
});
afterAll(async () => {
  if (mountFailure === undefined) await run('umount', [base]);
  await rm(base, { recursive: true });
});

const entry = { value: new Uint8Array(256 * 1024).fill(7), version: 1, expiresAt: Number.MAX_SAFE_INTEGER };
const small = { ...entry, value: Uint8Array.of(1) };

/** Stores until it fails; how many were stored and with what it failed. */
async function fill(storage: RegistryStorage): Promise<{ readonly stored: number; readonly error: unknown }> {
  for (let stored = 0; stored < 200; stored++) {
    try {
      await storage.store(Uint8Array.of(1, stored), entry);
    } catch (error) {
      return { stored, error };
    }
  }
  throw new Error('the disk never filled up');
}

test('on a full disk puts are refused, gets and removals go on, and puts work again when there is room', async (context) => {
  if (mountFailure !== undefined) return context.skip(`no tmpfs can be mounted here (run as root): ${mountFailure}`);
  const directory = join(base, 'gradual');
  const storage = await openLmdbStorage({ directory, clock });
  const { stored, error } = await fill(storage);
  expect(isNautilusError(error, 'DISK_FULL'), String(error)).toBe(true);
  expect((error as Error).message).toContain(directory);
  expect(stored).toBeGreaterThan(4);
  expect((await storage.retrieve(Uint8Array.of(1, 0)))?.value).toEqual(entry.value);
  expect(await storage.scan({ limit: 500 })).toHaveLength(stored);
  for (let n = 0; n < stored; n++) expect(await storage.remove(Uint8Array.of(1, n))).toBe(true);
  expect(await storage.scan({ limit: 500 })).toHaveLength(0);
  await storage.close();
  await rm(directory, { recursive: true });

  const ballast = join(base, 'ballast');
  const again = await openLmdbStorage({ directory, clock });
  await writeFile(ballast, new Uint8Array(21 * 1024 * 1024));
  await expect(again.store(Uint8Array.of(1), small)).rejects.toMatchObject({ code: 'DISK_FULL' });
  await rm(ballast);
  expect(await again.store(Uint8Array.of(1), small)).toBe('stored');
  await again.close();
  await rm(directory, { recursive: true });
});

test('a commit that runs out of space half-way fails for its writers only, and the storage goes on', async (context) => {
  if (mountFailure !== undefined) return context.skip(`no tmpfs can be mounted here (run as root): ${mountFailure}`);
  const directory = join(base, 'sudden');
  const ballast = join(base, 'ballast');
  const storage = await openLmdbStorage({ directory, clock });
  await storage.store(Uint8Array.of(0), small);
  // Behind its back: what it knows of the free space is fresh, and wrong.
  await writeFile(ballast, new Uint8Array(24 * 1024 * 1024)).catch(() => 'as much as there is room for');
  await expect(storage.store(Uint8Array.of(1), entry)).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(await storage.contains(Uint8Array.of(1))).toBe(false);
  expect((await storage.retrieve(Uint8Array.of(0)))?.value).toEqual(small.value);
  await rm(ballast);
  await clock.advance(5_001);
  expect(await storage.store(Uint8Array.of(1), entry)).toBe('stored');
  await storage.close();
  const reopened = await openLmdbStorage({ directory, clock });
  expect((await reopened.retrieve(Uint8Array.of(1)))?.value).toEqual(entry.value);
  await reopened.close();
  await rm(directory, { recursive: true });
});

test('a read-only file system is named, with what to do', async (context) => {
  if (mountFailure !== undefined) return context.skip(`no tmpfs can be mounted here (run as root): ${mountFailure}`);
  const directory = join(base, 'read-only');
  await mkdir(directory);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m,ro', 'nautilus-test', directory]);
  try {
    await expect(openLmdbStorage({ directory, clock })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining('EROFS'),
    });
  } finally {
    await run('umount', [directory]);
  }
});
