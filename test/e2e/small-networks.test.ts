/** Networks of one and of three are honest about it, and two networks stay two. */
import { describe, expect, it } from 'vitest';
import { createNode, resolveConfig } from '../../src/node/index.ts';
import { utf8Decode } from '../../src/records/index.ts';
import { objectOf } from '../support/cli.ts';
import { nodeStarter, type RunningNode } from '../support/running-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const directory = temporaryDirectory();
const startNode = nodeStarter();

async function start(name: string, ...args: string[]): Promise<RunningNode> {
  return startNode({ dataDir: await directory(name), args });
}

async function untilPeers(node: RunningNode, peers: number): Promise<void> {
  await until(`${node.ready.dataDir} knows ${peers} peers`, async () => {
    const status = objectOf<{ peers: number }>(await node.verb(['status', '--json']));
    return status.peers === peers || undefined;
  });
}

describe('a network of one', { timeout: 60_000 }, () => {
  it('stores on one of one, finds it again and deletes it', async () => {
    const node = await start('one');
    expect((await node.verb(['put', 'svc/web', '10.0.0.5:80'])).stdout).toContain('stored on 1 of 1 ');
    const put = objectOf<{ receipt: object }>(await node.verb(['put', 'svc/web', '10.0.0.6:80', '--json']));
    expect(put.receipt).toMatchObject({
      k: 1,
      wanted: 1,
      acked: 1,
      holders: [{ peerId: node.ready.peerId, rank: 1, status: 'stored' }],
    });
    expect(await node.verb(['get', 'svc/web'])).toMatchObject({ code: 0, stdout: '10.0.0.6:80\n' });
    expect(await node.verb(['delete', 'svc/web'])).toMatchObject({ code: 0 });
    expect(await node.verb(['get', 'svc/web'])).toMatchObject({ code: 3, stdout: '' });
    expect(await node.stop()).toBe(0);
  });
});

describe('a network of three', { timeout: 60_000 }, () => {
  it('stores on three of three, and still finds it when one is killed', async () => {
    const first = await start('a');
    const others = [await start('b', '--bootstrap', first.address), await start('c', '--bootstrap', first.address)];
    await Promise.all([first, ...others].map((node) => untilPeers(node, 2)));
    const put = objectOf<{ receipt: object }>(await first.verb(['put', 'svc/web', '10.0.0.5:80', '--json']));
    expect(put.receipt).toMatchObject({ k: 3, wanted: 2, acked: 3 });
    for (const node of others) expect(await node.verb(['get', 'svc/web'])).toMatchObject({ stdout: '10.0.0.5:80\n' });
    await first.kill();
    for (const node of others) expect(await node.verb(['get', 'svc/web'])).toMatchObject({ stdout: '10.0.0.5:80\n' });
  });
});

describe('a node that has just been started', { timeout: 60_000 }, () => {
  it('does not take itself for the network before it has tried to join it, nor many who ask under one signal for a leak', async () => {
    const first = await start('first');
    await first.verb(['put', 'svc/web', '10.0.0.5:80']);
    const flags = {
      dataDir: await directory('late'),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [first.address],
    };
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const late = await createNode(await resolveConfig({ flags, env: {} }));
    try {
      const { signal } = new AbortController();
      const results = await Promise.all(Array.from({ length: 12 }, () => late.get('svc/web', { signal }))); // in the same moment
      for (const { records } of results) expect(records.map(({ value }) => utf8Decode(value))).toEqual(['10.0.0.5:80']);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', note);
      await late.stop();
    }
  });
});

describe('two networks', { timeout: 60_000 }, () => {
  it('never mix, even when they are bootstrapped at each other', async () => {
    const red = await start('red', '--network', 'red');
    const blue = await start('blue', '--network', 'blue', '--bootstrap', red.address);
    const redder = await start('redder', '--network', 'red', '--bootstrap', red.address, '--bootstrap', blue.address);
    await untilPeers(redder, 1);
    // Both have tried the other network by now: blue says so, and redder reached red in the same round.
    await until('blue says why it is alone', () => /network/.test(blue.stderr) || undefined);
    await red.verb(['put', 'svc/web', 'red']);
    await blue.verb(['put', 'svc/web', 'blue']);
    expect(await redder.verb(['get', 'svc/web'])).toMatchObject({ stdout: 'red\n' });
    expect(await blue.verb(['get', 'svc/web'])).toMatchObject({ stdout: 'blue\n' });
    await untilPeers(red, 1);
    await untilPeers(blue, 0);
  });
});
