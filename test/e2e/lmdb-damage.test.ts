import { randomFillSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isNautilusError } from '../../src/core/index.ts';
import { openLmdbStorage, type RegistryStorage } from '../../src/registry/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const ENTRIES = 2_000;
const VALUE_BYTES = 500;
const PAGE = 4_096;
const clock = new ManualClock();
let directory: string;
let file: string;

const open = () => openLmdbStorage({ directory, clock });
const keyOf = (n: number) => Uint8Array.of(n >> 8, n & 255);
const valueFor = (n: number) => new Uint8Array(VALUE_BYTES).fill(n);

async function allEntries(storage: RegistryStorage): Promise<boolean> {
  const found = await storage.retrieveBatch(Array.from({ length: ENTRIES }, (_, n) => keyOf(n)));
  return found.every((entry, n) => entry !== undefined && Buffer.compare(entry.value, valueFor(n)) === 0);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nautilus-damage-'));
  file = join(directory, 'data.mdb');
  const storage = await open();
  await storage.storeIfBatch(
    Array.from({ length: ENTRIES }, (_, n) => ({
      key: keyOf(n),
      expected: 'absent' as const,
      entry: { value: valueFor(n), version: 1, expiresAt: Number.MAX_SAFE_INTEGER },
    })),
  );
  await storage.close();
});
afterEach(() => rm(directory, { recursive: true }));

async function change(edit: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(file);
  edit(bytes);
  await writeFile(file, bytes);
}

describe('a damaged file is refused with its name and what to do, and this process lives on', () => {
  const expectRefusal = async () => {
    await expect(open()).rejects.toMatchObject({
      code: 'STORAGE_DAMAGED',
      message: expect.stringMatching(new RegExp(`^${file} is damaged \\(.+\\): restore`)),
    });
    // Refused again, not worn down by trying.
    await expect(open()).rejects.toMatchObject({ code: 'STORAGE_DAMAGED' });
  };

  test('cut in half', async () => {
    await truncate(file, Math.floor((await readFile(file)).length / 2));
    await expectRefusal();
  });

  test('random bytes from end to end', async () => {
    await change((bytes) => randomFillSync(bytes));
    await expectRefusal();
  });

  test('random pages behind good meta pages', async () => {
    await change((bytes) => randomFillSync(bytes, 2 * PAGE));
    await expectRefusal();
  });

  test('zeros behind good meta pages', async () => {
    await change((bytes) => bytes.fill(0, 2 * PAGE));
    await expectRefusal();
  });

  test('a single wrong bit in a value', async () => {
    await change((bytes) => {
      const at = bytes.indexOf(Buffer.alloc(VALUE_BYTES, 77)) + 100;
      bytes[at] = bytes[at]! ^ 1;
    });
    await expectRefusal();
  });
});

test('a random page anywhere is either refused or was not in use: nothing wrong is ever handed out', async () => {
  const good = await readFile(file);
  const pages = Math.floor(good.length / PAGE);
  let refused = 0;
  for (let i = 0; i < 8; i++) {
    const page = 2 + Math.floor((i * (pages - 2)) / 8);
    await writeFile(file, good);
    await change((bytes) => randomFillSync(bytes, page * PAGE, PAGE));
    try {
      const storage = await open();
      expect(await allEntries(storage), `page ${page}`).toBe(true);
      await storage.close();
    } catch (error) {
      expect(isNautilusError(error, 'STORAGE_DAMAGED'), `page ${page}: ${String(error)}`).toBe(true);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(0);
});

test('a copy of a sound file is checked and opened', async () => {
  await writeFile(file, await readFile(file));
  const storage = await open();
  expect(await allEntries(storage)).toBe(true);
  await storage.close();
});

test('a check can be given up', async () => {
  await writeFile(file, await readFile(file));
  const abort = new AbortController();
  const opening = openLmdbStorage({ directory, clock, signal: abort.signal });
  abort.abort(new Error('gave up'));
  await expect(opening).rejects.toThrow('gave up');
});

test('a file where the directory should be is named, with what to do', async () => {
  await expect(openLmdbStorage({ directory: file, clock })).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringContaining(file),
  });
  await chmod(file, 0o600);
});
