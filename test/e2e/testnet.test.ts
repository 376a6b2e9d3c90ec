/** The testnet verbs between shells, and that nothing is left behind however a testnet ends. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { TestnetReport } from '../../testnet/launcher/index.ts';
import { nautilus, objectOf, spawnNautilus } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testnetStarter } from '../support/testnet.ts';
import { until } from '../support/until.ts';

const directory = temporaryDirectory();
const startTestnet = testnetStarter();
const attached: Attached[] = [];
afterAll(async () => {
  for (const up of attached) {
    up.child.kill('SIGKILL');
    for (const pid of processesOf(up.dir)) process.kill(pid, 'SIGKILL');
  }
});

interface Attached {
  readonly child: ReturnType<typeof spawnNautilus>;
  readonly dir: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

/** `testnet up` without `--detach`, just started. */
async function up(...args: string[]): Promise<Attached> {
  const dir = await directory();
  const child = spawnNautilus(['testnet', 'up', '--dir', dir, '--json', ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const result = { child, dir, ended, stdout: () => stdout, stderr: () => stderr };
  attached.push(result);
  return result;
}

async function untilUp({ stdout, stderr, child }: Attached): Promise<TestnetReport> {
  return until('the testnet is up', () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${stderr()}`);
    return stdout().includes('\n') ? (JSON.parse(stdout()) as TestnetReport) : undefined;
  });
}

/** Processes that have something of the directory among their arguments, but for `testnet up` itself. */
function processesOf(dir: string): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(`${dir}/`)).map((line) => Number.parseInt(line, 10));
}

function expectNothingLeft({ dir }: Attached): void {
  expect(processesOf(dir)).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
}

describe('testnet up', { timeout: 90_000 }, () => {
  it('stays until Ctrl-C, then ends every process and removes its files', async () => {
    const testnet = await up('-n', '2');
    const { nodes } = await untilUp(testnet);
    expect(nodes).toMatchObject([
      { n: 0, mode: 'bootstrap', state: 'running', dataDir: join(testnet.dir, 'node-0') },
      { n: 1, mode: 'server', state: 'running', peers: 1 },
      { n: 2, mode: 'server', state: 'running', peers: 1 },
    ]);
    expect(processesOf(testnet.dir)).toHaveLength(3);
    testnet.child.kill('SIGINT');
    expect(await testnet.ended).toBe(0);
    expectNothingLeft(testnet);
  });

  it('leaves nothing when it is interrupted while it starts', async () => {
    const testnet = await up('-n', '3');
    await until('the first process has started', () => existsSync(join(testnet.dir, 'node-0.json')) || undefined);
    testnet.child.kill('SIGINT');
    expect(await testnet.ended).toBe(1);
    expect(testnet.stderr()).toContain('interrupted');
    expectNothingLeft(testnet);
  });

  it('kills what does not leave when it is interrupted a second time', async () => {
    const testnet = await up('-n', '1');
    const { nodes } = await untilUp(testnet);
    process.kill(nodes[1]?.pid as number, 'SIGSTOP'); // it will not hear a word of SIGTERM
    testnet.child.kill('SIGINT');
    testnet.child.kill('SIGTERM'); // not SIGINT again: two that wait to be delivered are one
    expect(await testnet.ended).toBe(130);
    await until('the stopped process is gone', () => processesOf(testnet.dir).length === 0 || undefined);
  });

  it('says which node did not start and why, and leaves no process', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const testnet = await up('-n', '2', '--base-port', String(port - 1));
    expect(await testnet.ended).toBe(1);
    expect(testnet.stderr()).toMatch(/node 1 did not start: .*is in use/);
    expect(processesOf(testnet.dir)).toEqual([]);
    server.close();
  });

  it('runs all nodes in one process when asked, for the verbs of any shell', async () => {
    const testnet = await up('-n', '3', '--in-process', '--storage', 'memory:');
    const { nodes } = await untilUp(testnet);
    expect(nodes.map(({ pid, peers }) => [pid === testnet.child.pid, peers]).slice(1)).toEqual(
      Array(3).fill([true, 2]),
    );
    const [, one, two] = nodes;
    expect((await nautilus(['put', 'a', 'b', '--data-dir', one?.dataDir ?? ''])).stdout).toContain('3 of 3');
    expect(await nautilus(['get', 'a', '--data-dir', two?.dataDir ?? ''])).toMatchObject({ stdout: 'b\n' });
    expect(await nautilus(['testnet', 'kill', '1', '--dir', testnet.dir])).toMatchObject({ code: 2 });
    expect(await nautilus(['testnet', 'down', '--dir', testnet.dir])).toMatchObject({ code: 0 });
    expect(await testnet.ended).toBe(0);
    expectNothingLeft(testnet);
  });

  it('can be ended from another shell after it was killed itself', async () => {
    const testnet = await up('-n', '1');
    await untilUp(testnet);
    testnet.child.kill('SIGKILL');
    await testnet.ended;
    expect(processesOf(testnet.dir)).toHaveLength(2);
    expect(await nautilus(['testnet', 'up', '-n', '1', '--dir', testnet.dir])).toMatchObject({ code: 1 });
    expect(await nautilus(['testnet', 'down', '--dir', testnet.dir])).toMatchObject({ code: 0 });
    expectNothingLeft(testnet);
  });
});

describe('a detached testnet', { timeout: 90_000 }, () => {
  it('loses a node by kill and gets it back by restart, with its identity, port and data', async () => {
    const testnet = await startTestnet({ dir: await directory(), nodes: 2 });
    expect(await testnet.verb(1, ['put', 'a', 'b'])).toMatchObject({ code: 0 });

    expect(await testnet.testnetVerb('kill', '2')).toMatchObject({ nodes: [{ n: 2, state: 'stopped', peers: null }] });
    expect(await nautilus(['testnet', 'kill', '2', '--dir', testnet.dir])).toMatchObject({ code: 6 });
    const states = (await testnet.testnetVerb('status')).nodes.map(({ state }) => state);
    expect(states).toEqual(['running', 'running', 'stopped']);

    const [restarted] = (await testnet.testnetVerb('restart', '2')).nodes;
    const { peerId, addresses } = testnet.node(2);
    expect(restarted).toMatchObject({ n: 2, peerId, addresses, state: 'running' });
    expect(objectOf(await testnet.verb(2, ['list', '--json']))).toMatchObject({ key: 'a' });
    expect(await nautilus(['testnet', 'kill', '3', '--dir', testnet.dir])).toMatchObject({ code: 2 });

    expect(await nautilus(['testnet', 'down', '--dir', testnet.dir])).toMatchObject({ code: 0 });
    expect(processesOf(testnet.dir)).toEqual([]);
    expect(await nautilus(['testnet', 'status', '--dir', testnet.dir])).toMatchObject({ code: 6 });
  });

  it('never signals a process that got the pid of one of its nodes', async () => {
    const testnet = await startTestnet({ dir: await directory(), nodes: 1 });
    await testnet.testnetVerb('kill', '1');
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const file = join(testnet.dir, 'node-1.json');
    const entry = JSON.parse(readFileSync(file, 'utf8')) as { process: { token: string } };
    writeFileSync(file, JSON.stringify({ ...entry, process: { ...entry.process, pid: stranger.pid } }));

    expect((await testnet.testnetVerb('status')).nodes[1]).toMatchObject({ state: 'stopped' });
    expect(await nautilus(['testnet', 'kill', '1', '--dir', testnet.dir])).toMatchObject({ code: 6 });
    expect(await nautilus(['testnet', 'down', '--dir', testnet.dir])).toMatchObject({ code: 0 });
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  });
});
