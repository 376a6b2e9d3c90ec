/**
 * How long gets take right after five of twelve storing processes were killed, beside the same gets before it: each record once, from random
 * survivors, 16 in flight. The first gets after the kill are the dear ones, since nobody has noticed yet. Needs a build. Usage: npm run bench:kill
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const NODES = 12;
const KILLED = 5;
const RECORDS = 200;
const GOAL_MAX_MS = 3_000;
const BIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const run = promisify(execFile);

interface Got {
  readonly key: string;
  readonly value?: string;
  readonly elapsedMs?: number;
}

const root = await mkdtemp(join(tmpdir(), 'nautilus-bench-'));
const dir = join(root, 'testnet');
const testnet = (...args: string[]) => nautilus('testnet', ...args, '--dir', dir, '--json');
try {
  const { nodes } = JSON.parse(await testnet('up', '-n', String(NODES), '--detach')) as {
    readonly nodes: readonly { readonly dataDir: string }[];
  };
  const servers = shuffled(nodes.slice(1).map((node, i) => ({ n: String(i + 1), dataDir: node.dataDir })));
  const keys = Array.from({ length: RECORDS }, (_, i) => `bench/${i}`);
  const batch = join(root, 'records.jsonl');
  await writeFile(batch, keys.map((key) => JSON.stringify({ key, value: 'x'.repeat(256) })).join('\n'));
  await nautilus('put', '--batch', batch, '--data-dir', servers[0]!.dataDir, '--json');

  const survivors = servers.slice(KILLED);
  const before = await getAll(survivors, keys);
  await Promise.all(servers.slice(0, KILLED).map(({ n }) => testnet('kill', n)));
  const after = await getAll(survivors, keys);
  const again = await getAll(survivors, keys);
  console.table([
    row('before', before),
    row(`right after ${KILLED} of ${NODES} were killed`, after),
    row('once more', again),
  ]);
  const met = after.every(({ value }) => value !== undefined) && max(after) <= GOAL_MAX_MS;
  process.stdout.write(`no get over ${GOAL_MAX_MS} ms and none failing: ${met ? 'met' : 'MISSED'}\n`);
  process.exitCode = met ? 0 : 1;
} finally {
  execFileSync(process.execPath, [BIN, 'testnet', 'down', '--dir', dir], { stdio: 'ignore' });
  await rm(root, { recursive: true, force: true });
}

async function nautilus(...args: string[]): Promise<string> {
  return (await run(process.execPath, [BIN, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** A share of the keys from each reader, one reader after the other. */
async function getAll(readers: readonly { readonly dataDir: string }[], keys: readonly string[]): Promise<Got[]> {
  const got: Got[] = [];
  for (const [i, { dataDir }] of readers.entries()) {
    const file = join(root, `keys-${i}`);
    await writeFile(file, keys.filter((_, k) => k % readers.length === i).join('\n'));
    const output = await nautilus('get', '--batch', file, '--data-dir', dataDir, '--json').catch(
      (error: { readonly stdout: string }) => error.stdout, // some were not found: that is a figure
    );
    for (const line of output.trim().split('\n')) got.push(JSON.parse(line) as Got);
  }
  return got;
}

function row(when: string, got: readonly Got[]) {
  const times = timesOf(got);
  const percentile = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]?.toFixed(1);
  const right = got.filter(({ value }) => value !== undefined).length;
  return {
    when,
    right: `${right} of ${RECORDS}`,
    'p50 ms': percentile(0.5),
    'p95 ms': percentile(0.95),
    'max ms': percentile(1),
  };
}

function max(got: readonly Got[]): number {
  return timesOf(got).at(-1) ?? Number.POSITIVE_INFINITY;
}

function timesOf(got: readonly Got[]): number[] {
  return got.flatMap(({ elapsedMs }) => elapsedMs ?? []).sort((a, b) => a - b);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
