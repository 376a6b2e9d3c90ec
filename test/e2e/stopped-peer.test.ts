/** A process that is stopped (SIGSTOP) keeps its sockets open and answers nothing: the rudest way to be absent. */
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeStarter, type RunningNode } from '../support/running-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const directory = temporaryDirectory();
const start = nodeStarter();
const NODES = 4;
/** A younger node takes whoever goes for a change of what it holds, and says "partial" until it has looked around: membership.ts. */
const YOUTH_MS = 10_000;
let nodes: RunningNode[];

beforeAll(async () => {
  const first = await start({ dataDir: await directory(), args: ['--network', 'stopped'] });
  const args = ['--network', 'stopped', '--bootstrap', first.address];
  const others = Array.from({ length: NODES - 1 }, async () => start({ dataDir: await directory(), args }));
  nodes = [first, ...(await Promise.all(others))];
  // Who has only met the others must still compare with them, the one that is stopped too, before its answer counts.
  for (const node of nodes) {
    await until('everybody knows everybody and may speak', async () => {
      const { stdout } = await node.verb(['status', '--json']);
      const { peers, settled, uptimeMs } = JSON.parse(stdout);
      return peers === NODES - 1 && settled && uptimeMs > YOUTH_MS ? true : undefined;
    });
  }
});

describe('a peer stopped with SIGSTOP', () => {
  test('costs nobody a record, and is back when it goes on', async () => {
    const [first, second, stopped, fourth] = nodes as [RunningNode, RunningNode, RunningNode, RunningNode];
    expect((await first.verb(['put', 'svc/before', 'one'])).code).toBe(0);
    process.kill(stopped.pid, 'SIGSTOP');

    // Each is one process start and one operation: a hung peer must not hold any of them until its own time-out.
    for (const node of [first, second, fourth]) {
      const got = await node.verb(['get', 'svc/before', '--json']);
      expect(got.code, got.stderr).toBe(0);
      expect(JSON.parse(got.stdout)).toMatchObject({ value: 'one', partial: false });
    }
    const put = await second.verb(['put', 'svc/during', 'two', '--json']);
    expect(put.code, put.stderr).toBe(0);
    expect(JSON.parse(put.stdout).receipt.acked).toBe(NODES - 1);
    expect((await fourth.verb(['get', 'svc/during'])).stdout).toBe('two\n');

    process.kill(stopped.pid, 'SIGCONT');
    const { stdout } = await until('it answers again', async () => {
      const got = await stopped.verb(['get', 'svc/during']);
      return got.code === 0 ? got : undefined;
    });
    expect(stdout).toBe('two\n');
    await until('others count on it again', async () => {
      const again = await first.verb(['put', 'svc/after', 'three', '--json']);
      return JSON.parse(again.stdout).receipt.acked === NODES ? true : undefined;
    });
  });
});
