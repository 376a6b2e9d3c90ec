import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLmdbStorage, type RegistryStorage } from '../../src/registry/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const WRITER = fileURLToPath(new URL('lmdb-writer.mjs', import.meta.url));
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nautilus-kill-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Runs the writer until it has acknowledged `count` batches, kills it in the middle of the next ones, and returns what it acknowledged. */
async function writeAndKill(firstBatch: number, count: number): Promise<number[]> {
  const writer = spawn(process.execPath, [WRITER, directory, String(firstBatch)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  writer.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = once(writer, 'close');
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === count) writer.kill('SIGKILL');
  }
  const [, signal] = await ended;
  expect({ signal, complaints }).toEqual({ signal: 'SIGKILL', complaints: '' });
  return acknowledged;
}

/** Batch number -> how many of its entries are there, as they were written; one that is not counts for -1. */
async function batchesIn(storage: RegistryStorage): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  let after: Uint8Array | undefined;
  for (;;) {
    const page = await storage.scan({ limit: 500, ...(after && { after }) });
    for (const { key, value, version } of page) {
      const [high = 0, low = 0, index = 0] = key;
      const batch = high * 256 + low;
      const isRight = version === batch + 1 && value.length === 200 + index && value.every((byte) => byte === low);
      counts.set(batch, isRight ? (counts.get(batch) ?? 0) + 1 : -1);
    }
    if (page.length < 500) return counts;
    after = page.at(-1)?.key;
  }
}

test('after kill -9 in the middle of writing, three times over, every acknowledged batch is there, whole', async () => {
  const acknowledged: number[] = [];
  let nextBatch = 0;
  for (const count of [7, 41, 23]) {
    acknowledged.push(...(await writeAndKill(nextBatch, count)));
    const storage = await openLmdbStorage({ directory, clock: new ManualClock() });
    const counts = await batchesIn(storage);
    expect(acknowledged.filter((batch) => counts.get(batch) !== 50)).toEqual([]);
    expect(new Set(counts.values())).toEqual(new Set([50]));
    nextBatch = Math.max(...counts.keys()) + 1;
    await storage.close();
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(7 + 41 + 23);
});

test('files belong to their owner alone, and the note of a clean close is there exactly while nobody has them open', async () => {
  const inside = join(directory, 'records');
  const storage = await openLmdbStorage({ directory: inside, clock: new ManualClock() });
  expect(await readdir(inside)).not.toContain('closed-cleanly.json');
  await storage.close();
  expect((await stat(inside)).mode & 0o777).toBe(0o700);
  const files = await readdir(inside);
  expect(files).toContain('closed-cleanly.json');
  for (const file of files) expect((await stat(join(inside, file))).mode & 0o777, file).toBe(0o600);
});
