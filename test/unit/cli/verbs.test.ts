/** Every verb as a process against a node behind a real control socket: what people and scripts see. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeApi } from '../../../src/commands/index.ts';
import { NautilusError } from '../../../src/core/index.ts';
import { createControlServer } from '../../../src/servers/control/index.ts';
import { createMemoryNode, type MemoryNode } from '../../support/memory-node.ts';
import { nautilus } from '../../support/nautilus-bin.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const servers: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(overrides: Partial<NodeApi> = {}) {
  const dataDir = await directory();
  await mkdir(dataDir, { recursive: true });
  const node: MemoryNode = createMemoryNode(overrides);
  servers.push(await createControlServer({ api: node, dataDir }));
  const run = (line: string, input?: string | Uint8Array) =>
    nautilus([...line.split(' '), '--data-dir', dataDir], input === undefined ? {} : { input });
  return { node, dataDir, run };
}

const objects = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('put and get', () => {
  it('store and find a value, in words', async () => {
    const { run } = await serve();
    const stored = await run('put svc/web 10.0.0.5:80 --ttl 1h');
    expect(stored).toMatchObject({ code: 0, stderr: '' });
    expect(stored.stdout).toMatch(/^svc\/web stored on 1 of 1 \(1 wanted\) until [^\n]+\n$/);
    expect(await run('get svc/web')).toEqual({ code: 0, stdout: '10.0.0.5:80\n', stderr: '' });
  });

  it('speak one JSON object a line with --json, before or after the verb', async () => {
    const { run, dataDir } = await serve();
    const stored = await run('put k v --json');
    expect(objects(stored.stdout)).toMatchObject([{ key: 'k', receipt: { k: 1, wanted: 1, acked: 1 } }]);
    const found = await nautilus(['--json', '--data-dir', dataDir, 'get', 'k']);
    expect(objects(found.stdout)).toMatchObject([{ key: 'k', value: 'v', encoding: 'utf8' }]);
    expect(found.stderr).toBe('');
  });

  it('take bytes from stdin or a file, and --raw gives exactly those back', async () => {
    const { run, node, dataDir } = await serve();
    const bytes = Uint8Array.of(0xff, 0x00, 0x0a, 0xfe);
    await writeFile(join(dataDir, 'value'), bytes);
    expect((await run('put a -', bytes)).code).toBe(0);
    expect((await run(`put b --file ${join(dataDir, 'value')}`)).code).toBe(0);
    expect((await run('put empty -', '')).code).toBe(0);
    expect([...node.records.values()].map(({ value }) => value)).toEqual([bytes, bytes, new Uint8Array(0)]);
    expect((await run('get b --raw')).stdout).toBe('\u00ff\u0000\n\u00fe');
    expect((await run('get empty --raw')).stdout).toBe('');
    expect(objects((await run('get b --json')).stdout)).toMatchObject([{ value: '/wAK/g==', encoding: 'base64' }]);
  });

  it('take a value that looks like a flag after --', async () => {
    const { dataDir, run } = await serve();
    expect((await nautilus(['put', 'k', '--data-dir', dataDir, '--', '--json'])).code).toBe(0);
    expect((await run('get k')).stdout).toBe('--json\n');
  });

  it('exit 3 for a key that is not there', async () => {
    const { run } = await serve();
    expect(await run('get nope')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^nautilus: [^\n]+\n$/),
    });
  });

  it('show the receipt of a put that missed its quorum, and exit 4', async () => {
    const holders = [
      { peerId: 'p1', rank: 1, status: 'stored', reason: null, until: 9 },
      { peerId: 'p2', rank: 2, status: 'refused', reason: 'STORE_FULL', until: null },
      { peerId: 'p3', rank: 3, status: 'unreachable', reason: 'timeout', until: null },
    ];
    const result = {
      key: 'k',
      seq: 1,
      publisher: 'p',
      expiresAt: 9,
      receipt: { k: 3, wanted: 2, acked: 1, holders },
      degraded: false,
      requests: 3,
      elapsedMs: 1,
    };
    const error = new NautilusError('QUORUM_NOT_REACHED', '1 of 2 wanted holders stored it: try again', {
      details: { result },
    });
    const { run } = await serve({ put: () => Promise.reject(error) });
    const words = await run('put k v');
    expect(words.code).toBe(4);
    expect(words.stdout).toContain('stored on 1 of 3 (2 wanted)');
    expect(words.stdout).toContain('#2 p2 refused: STORE_FULL');
    expect(words.stderr).toBe('nautilus: 1 of 2 wanted holders stored it: try again\n');
    const json = await run('put k v --json');
    expect(json.code).toBe(4);
    expect(objects(json.stdout)).toEqual([result]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'QUORUM_NOT_REACHED' } });
  });

  it('never send to a terminal, or into a table, what a stranger wrote to act on it', async () => {
    const { run } = await serve();
    await run('put \u001b[2Jk \u001b[2Jv');
    expect((await run('list')).stdout).toContain('\\u{1b}[2Jk');
    expect((await run('get \u001b[2Jk --all')).stdout).not.toContain('\u001b');
  });

  it('give up after --timeout with exit 124', async () => {
    const { run } = await serve({ get: () => new Promise(() => undefined) });
    expect(await run('get k --timeout 50ms')).toMatchObject({ code: 124, stderr: expect.stringContaining('50ms') });
  });
});

describe('batches', () => {
  it('answer line by line, in order, and exit with the worst', async () => {
    const { run } = await serve();
    const lines = [
      '{"key":"a","value":"1","ttl":"5m"}',
      '',
      'nonsense',
      '{"key":"b","value":"2","ttl":"0s"}',
      '{"key":"c","value":"3"}',
    ];
    const stored = await run('put --batch - --json', lines.join('\r\n'));
    expect(stored.code).toBe(2);
    expect(objects(stored.stdout)).toMatchObject([
      { key: 'a', receipt: { acked: 1 } },
      { key: null, line: 3, error: { code: 'USAGE' } },
      { key: 'b', line: 4, error: { code: 'TTL_INVALID' } },
      { key: 'c', receipt: { acked: 1 } },
    ]);
    const found = await run('get --batch - --json', 'c\r\nnope\r\na');
    expect(found.code).toBe(3);
    expect(objects(found.stdout)).toMatchObject([
      { key: 'c', value: '3' },
      { key: 'nope', line: 2, error: { code: 'NOT_FOUND' } },
      { key: 'a', value: '1' },
    ]);
  });

  it('are summed up for people on stderr', async () => {
    const { run } = await serve();
    const stored = await run('put --batch -', '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n');
    expect(stored).toMatchObject({ code: 0, stdout: '' });
    expect(stored.stderr).toMatch(/^nautilus: stored 2 of 2 records, in [^\n]+\n$/);
    const found = await run('get --batch -', 'a\nb\n');
    expect(found).toMatchObject({ code: 0, stdout: 'a\t1\nb\t2\n' });
  });

  it('of a thousand lines come back whole', async () => {
    const { run, dataDir } = await serve();
    const keys = Array.from({ length: 1_000 }, (_, n) => `k${n}`);
    const file = join(dataDir, 'batch.jsonl');
    await writeFile(file, keys.map((key) => JSON.stringify({ key, value: `v-${key}` })).join('\n'));
    expect((await run(`put --batch ${file} --json`)).code).toBe(0);
    const found = await run('get --batch - --json', keys.join('\n'));
    expect(found.code).toBe(0);
    expect(objects(found.stdout).map(({ value }) => value)).toEqual(keys.map((key) => `v-${key}`));
  });

  it('refuse bytes that are not UTF-8 as a key', async () => {
    const { run } = await serve({
      get: async (key) => Promise.reject(new NautilusError(key.includes('\uFFFD') ? 'KEY_INVALID' : 'NOT_FOUND', 'x')),
    });
    expect((await run('get --batch - --json', Uint8Array.of(0x61, 0xff, 0x0a))).code).toBe(2);
  });
});

describe('the other verbs', () => {
  it('answer in words and in JSON', async () => {
    const peer = {
      peerId: 'p1',
      nodeId: 'n1',
      addresses: ['/ip4/127.0.0.1/tcp/1'],
      bucket: 3,
      rttMs: 1.25,
      lastSeen: null,
      connected: true,
    };
    const { run } = await serve({ peers: () => [peer] });
    await run('put a/1 x');
    await run('put b/1 y');
    const list = await run('list b/');
    expect(list.stdout).toMatch(/^KEY +PUBLISHER +SIZE +RANK +EXPIRES\nb\/1 /);
    expect(objects((await run('list --json')).stdout)).toMatchObject([
      { key: 'a/1' },
      { key: 'b/1', bytes: 1, rank: 1 },
    ]);
    expect((await run('peers')).stdout).toMatch(/p1 +3 +1\.3 ms +– +yes +\/ip4\/127\.0\.0\.1\/tcp\/1/);
    expect(objects((await run('peers --json')).stdout)).toEqual([peer]);
    expect((await run('ping p9')).stdout).toBe('p9 answered in 1.5 ms\n');
    expect(objects((await run('ping p9 --json')).stdout)).toEqual([{ peerId: 'p9', rttMs: 1.5 }]);
    expect((await run('lookup k')).stdout).toContain('1 node closest to k');
    expect(objects((await run('lookup k --json')).stdout)).toMatchObject([{ target: 'k', hops: 0 }]);
    expect((await run('status')).stdout).toContain('memory: up, 2 records');
    expect(objects((await run('status --json')).stdout)).toMatchObject([{ mode: 'server', records: 2 }]);
    expect(objects((await run('id --json')).stdout)).toEqual([
      { peerId: expect.any(String), nodeId: expect.any(String) },
    ]);
    expect((await run('delete a/1')).stdout).toMatch(/^a\/1 deleted on 1 of 1/);
    expect((await run('get a/1')).code).toBe(3);
  });

  it('stop returns when the node has stopped', async () => {
    let stopped = false;
    const { run, node } = await serve({
      stop: async () => {
        stopped = true;
      },
    });
    const { peerId } = node.id();
    expect(await run('stop --json')).toEqual({
      code: 0,
      stdout: `{"stopped":true,"peerId":"${peerId}"}\n`,
      stderr: '',
    });
    expect(stopped).toBe(true);
  });

  it('of a reader that left early are no failure', async () => {
    const { dataDir } = await serve({
      async *list() {
        for (let seq = 0; ; seq++) yield { key: `k${seq}`, publisher: 'p', seq, expiresAt: 0, bytes: 0, rank: 1 };
      },
    });
    const { spawn } = await import('node:child_process');
    const { NAUTILUS_BIN } = await import('../../support/nautilus-bin.ts');
    const child = spawn(process.execPath, [NAUTILUS_BIN, 'list', '--json', '--data-dir', dataDir]);
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  });
});
