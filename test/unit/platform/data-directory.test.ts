import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataDirectory, resolveDataDirectory } from '../../../src/platform/index.ts';
import { identifyProcess } from '../../../src/platform/process-identity.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const fresh = temporaryDirectory();

async function directoryWithLock(content: unknown): Promise<string> {
  const path = await fresh();
  await mkdir(path);
  await writeFile(join(path, 'lock'), typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function expectTakenOver(content: unknown): Promise<void> {
  const path = await directoryWithLock(content);
  const directory = await openDataDirectory(path);
  expect(JSON.parse(await readFile(join(path, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
  await directory.release();
  expect(await readdir(path)).toEqual([]);
}

describe('the place of the data directory', () => {
  it('is the flag, else NAUTILUS_HOME, else below the home directory', () => {
    expect(resolveDataDirectory('/a', { NAUTILUS_HOME: '/b' })).toBe('/a');
    expect(resolveDataDirectory(undefined, { NAUTILUS_HOME: '/b' })).toBe('/b');
    expect(resolveDataDirectory(undefined, {})).toBe(join(homedir(), '.nautilus', 'default'));
    expect(resolveDataDirectory(undefined, { NAUTILUS_HOME: '' })).toBe(join(homedir(), '.nautilus', 'default'));
  });

  it('is absolute', () => {
    expect(resolveDataDirectory('relative', {})).toBe(join(process.cwd(), 'relative'));
  });
});

describe('opening a data directory', () => {
  it('makes it with its parents, for its owner only', async () => {
    const path = join(await fresh(), 'deep', 'down');
    const directory = await openDataDirectory(path);
    expect(directory.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await readdir(path)).toEqual(['lock']);
    await directory.release();
    expect(await readdir(path)).toEqual([]);
  });

  it('is refused while it is open, and possible again after the release', async () => {
    const path = await fresh();
    const first = await openDataDirectory(path);
    await expect(openDataDirectory(path)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      details: { pid: process.pid },
      message: expect.stringContaining(`nautilus stop --data-dir ${path}`),
    });
    await first.release();
    const second = await openDataDirectory(path);
    await first.release(); // a late second release must not open the door for a third
    await expect(openDataDirectory(path)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    await second.release();
  });

  it('gives it to exactly one of many who ask at once, also when a dead lock is in the way', async () => {
    const path = await directoryWithLock({ ...(await identifyProcess()), startTime: '1', nonce: 'dead' });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => openDataDirectory(path)));
    const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(winners.length).toBe(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'DATA_DIR_IN_USE' });
    }
    await winners[0]?.value.release();
    expect(await readdir(path)).toEqual([]);
  });

  it('says so when the path, or a part of it, is a file', async () => {
    const file = await fresh();
    await writeFile(file, 'x');
    await expect(openDataDirectory(file)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: `cannot use ${file}: it is a file, not a directory; choose another one with --data-dir`,
    });
    await expect(openDataDirectory(join(file, 'below'))).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining('a part of its path is a file'),
    });
  });

  it('says so when the path is too long', async () => {
    await expect(openDataDirectory(join(await fresh(), 'x'.repeat(300)))).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining('too long'),
    });
  });
});

describe('a lock that was left behind', () => {
  it('is taken over when its pid now belongs to a process that started at another time', async () => {
    await expectTakenOver({ ...(await identifyProcess()), startTime: '1' });
  });

  it('is taken over when the machine was booted since', async () => {
    await expectTakenOver({ ...(await identifyProcess()), bootId: 'an earlier one' });
  });

  it.each(['', '{"pid":', 'null', '[]', '{"pid":"1"}', '\0\0\0\0'])(
    'is taken over when it holds only %j',
    async (content) => {
      await expectTakenOver(content);
    },
  );

  it('is respected when its process lives', async () => {
    const path = await directoryWithLock({ ...(await identifyProcess()), nonce: 'somebody' });
    await expect(openDataDirectory(path)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
  });
});

describe('a lock of another container or machine', () => {
  const elsewhere = { pid: 1, startTime: '7', bootId: 'b', pidNamespace: 'n', host: `not-${hostname()}`, nonce: 'x' };

  it('is taken over after twenty seconds in which nobody touched it', async () => {
    const path = await directoryWithLock(elsewhere);
    const clock = new ManualClock();
    const messages: string[] = [];
    const opening = openDataDirectory(path, { clock, onWait: (message) => messages.push(message) });
    await timerArmed(clock);
    expect(messages).toEqual([expect.stringContaining(elsewhere.host)]);
    await clock.advance(20_000);
    const directory = await opening;
    expect(JSON.parse(await readFile(join(path, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await directory.release();
  });

  it('is respected when somebody touched it meanwhile', async () => {
    const path = await directoryWithLock(elsewhere);
    const clock = new ManualClock();
    const opening = openDataDirectory(path, { clock });
    const verdict = expect(opening).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', details: { pid: 1 } });
    await timerArmed(clock);
    await utimes(join(path, 'lock'), 1, 1);
    await clock.advance(20_000);
    await verdict;
  });

  it('can be waited for no longer than the caller wants', async () => {
    const path = await directoryWithLock(elsewhere);
    const abort = new AbortController();
    const reason = new Error('enough');
    const opening = openDataDirectory(path, {
      clock: new ManualClock(),
      signal: abort.signal,
      onWait: () => abort.abort(reason),
    });
    await expect(opening).rejects.toBe(reason);
  });

  it('is what others see of ours: touched every four seconds until the release', async () => {
    const path = await fresh();
    const clock = new ManualClock();
    const directory = await openDataDirectory(path, { clock });
    const lock = join(path, 'lock');
    for (let beat = 1; beat <= 3; beat++) {
      await utimes(lock, 1, 1);
      await clock.advance(4_000);
      await timerArmed(clock);
      expect((await stat(lock)).mtimeMs).toBe(clock.now());
    }
    await rm(lock);
    await clock.advance(4_000);
    await timerArmed(clock);
    await directory.release();
    expect(clock.pendingTimers).toBe(0);
  });
});

/** File system calls end in the event loop's own time: turns it until the code under test waits for the clock again. */
async function timerArmed(clock: ManualClock): Promise<void> {
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
}
