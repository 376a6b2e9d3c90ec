/** What no operator types and every operator meets: nobody there yet, a full disk, a clock that was set back, a path that is too long. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { putBatch } from '../support/batches.ts';
import { objectOf } from '../support/cli.ts';
import { nodeStarter } from '../support/running-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const SHIFTED_CLOCK = fileURLToPath(new URL('../support/shifted-clock.mjs', import.meta.url));
const HOUR_MS = 3_600_000;

const directory = temporaryDirectory();
const mounted: string[] = [];
afterAll(() => {
  for (const path of mounted) execFileSync('umount', [path]);
});
const startNode = nodeStarter();

describe('a node whose bootstrap peer is down', { timeout: 60_000 }, () => {
  it('starts, says so, works alone, and joins once the peer is back', async () => {
    const dataDir = await directory('peer');
    const peer = await startNode({ dataDir });
    await peer.stop();
    const node = await startNode({ dataDir: await directory('early'), args: ['--bootstrap', peer.address] });
    await until(
      'it says that the peer is down',
      () => /bootstrap peer \S+ is down .*trying again in/.test(node.stderr) || undefined,
    );
    expect((await node.verb(['put', 'svc/web', '10.0.0.5:80'])).stdout).toContain('stored on 1 of 1 ');

    await startNode({ dataDir, listen: peer.address.replace(/\/p2p\/.*/, '') });
    await until('it has joined', async () => {
      const status = objectOf<{ peers: number }>(await node.verb(['status', '--json']));
      return status.peers === 1 || undefined;
    });
    expect((await node.verb(['put', 'svc/web', '10.0.0.6:80'])).stdout).toContain('stored on 2 of 2 ');
  });
});

describe('a data directory whose path is too long for a socket', { timeout: 60_000 }, () => {
  it('works with every verb all the same', async () => {
    const dataDir = join(await directory('deep'), 'd'.repeat(120), 'e'.repeat(40));
    const node = await startNode({ dataDir });
    expect(await node.verb(['put', 'svc/web', '10.0.0.5:80'])).toMatchObject({ code: 0 });
    expect(await node.verb(['get', 'svc/web'])).toMatchObject({ code: 0, stdout: '10.0.0.5:80\n' });
    expect(await node.verb(['stop'])).toMatchObject({ code: 0 });
    expect(await node.verb(['get', 'svc/web'])).toMatchObject({ code: 6 });
  });
});

describe('a clock that is set back by an hour across a restart', { timeout: 60_000 }, () => {
  it('loses no record, and takes new ones that win', async () => {
    const dataDir = await directory('clock');
    const ahead = await startNode({
      dataDir,
      nodeArguments: ['--import', SHIFTED_CLOCK],
      env: { NAUTILUS_TEST_CLOCK_SHIFT_MS: String(HOUR_MS) },
    });
    const first = objectOf<{ seq: number }>(await ahead.verb(['put', 'svc/web', 'before', '--json']));
    expect(first.seq / 1_000).toBeGreaterThan(Date.now() + HOUR_MS / 2); // the preload is what it says
    expect(await ahead.verb(['put', 'svc/left-alone', 'before'])).toMatchObject({ code: 0 });
    await ahead.stop();

    const node = await startNode({ dataDir });
    expect(node.stderr).toMatch(/the clock is \d+ s behind .*: check it/);
    expect(await node.verb(['put', 'svc/web', 'after'])).toMatchObject({ code: 0 });
    expect(await node.verb(['get', 'svc/web'])).toMatchObject({ code: 0, stdout: 'after\n' });
    expect(await node.verb(['get', 'svc/left-alone'])).toMatchObject({ code: 0, stdout: 'before\n' });
  });
});

describe('a disk that is full', { timeout: 120_000 }, () => {
  it('refuses puts in one line, serves gets, and recovers when there is room', async ({ skip }) => {
    const dataDir = await directory('full');
    mkdirSync(dataDir, { recursive: true });
    skip(!mountSmall(dataDir), 'mounting a tmpfs needs root');
    const node = await startNode({ dataDir });
    const records = Array.from({ length: 600 }, (_, i) => ({ key: `fill/${i}`, value: String(i).padEnd(60_000, 'x') }));
    const stored = await putBatch((args, input) => node.verb(args, { input }), records);
    expect(stored.length).toBeGreaterThan(0);
    expect(stored.length).toBeLessThan(records.length);

    // A batch fails by the commit: what is left of the room fits single records, a few.
    let extra = 0;
    const refused = await until('a put is refused', async () => {
      const result = await node.verb(['put', `more/${extra++}`, 'x'.repeat(60_000)]);
      return result.code === 0 ? undefined : result;
    });
    expect([1, 4]).toContain(refused.code);
    expect(refused.stderr.split('\n')[0]).toMatch(/full|space/i);
    for (const { key, value } of [stored[0], stored.at(-1)].filter((record) => record !== undefined)) {
      expect(await node.verb(['get', key])).toMatchObject({ code: 0, stdout: `${value}\n` });
    }

    execFileSync('mount', ['-o', 'remount,size=96m', dataDir]);
    await until('it takes puts again', async () => {
      const { code } = await node.verb(['put', 'more/again', 'x'.repeat(60_000)]);
      return code === 0 || undefined;
    });
    expect(await node.verb(['get', 'more/again'])).toMatchObject({ code: 0 });
    expect(await node.stop()).toBe(0);
  });
});

/** Room for some hundred records. Whether it could be mounted. */
function mountSmall(path: string): boolean {
  if (process.getuid?.() !== 0) return false;
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path]);
  mounted.push(path);
  return true;
}
