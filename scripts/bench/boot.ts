/**
 * A hundred nodes in one process: how long until they know each other, how many connections they end with, and the memory it takes, beside a
 * testnet of one in the same run. It is `nautilus testnet up --in-process`, looked at from outside. V8 is told to bound its heap, as one does where
 * memory matters: unbounded it lets the garbage of the start lie and takes 410 MiB. Needs a build. Usage: npm run bench:boot
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as Client from '../../src/client/index.ts';
import type { TestnetReport } from '../../testnet/launcher/index.ts';

const NODES = 100;
const GOAL_RSS_MIB = 350;
const GOAL_CONNECTIONS = 20;
/** After convergence, so that what was only needed for it can go. */
const SETTLE_MS = 10_000;
const HEAP_BOUNDS = ['--max-old-space-size=240', '--max-semi-space-size=4'];
const BIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
/** The compiled room: it talks to a hundred nodes, tsx would be in its own way. */
const { connectControl } = (await import(
  new URL('../../dist/src/client/index.js', import.meta.url).href
)) as typeof Client;

interface Measured {
  readonly nodes: number;
  readonly upMs: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
  readonly settledMiB: number;
  readonly connections: readonly number[];
}

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const directory = await mkdtemp(join(tmpdir(), 'nautilus-bench-'));
try {
  const one = await measure(1);
  const hundred = await measure(NODES);
  report(one, hundred);
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function measure(nodes: number): Promise<Measured> {
  const args = ['testnet', 'up', '-n', String(nodes), '--in-process', '--storage', 'memory:', '--json'];
  const begun = performance.now();
  const child = spawn(process.execPath, [...HEAP_BOUNDS, BIN, ...args, '--dir', join(directory, String(nodes))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  try {
    const { nodes: reports } = await firstReport(child);
    const upMs = performance.now() - begun;
    const [rssMiB, cpuMs] = [rssOf(child), cpuOf(child)];
    await delay(SETTLE_MS);
    const settledMiB = rssOf(child);
    const servers = reports.filter(({ mode }) => mode === 'server');
    const connections = await Promise.all(servers.map(({ dataDir }) => connectionsOf(dataDir)));
    return { nodes, upMs, cpuMs, rssMiB, settledMiB, connections: connections.sort((a, b) => a - b) };
  } finally {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await ended;
    running.delete(child);
  }
}

async function firstReport(child: ChildProcess): Promise<TestnetReport> {
  if (child.stdout === null) throw new Error('its output is piped');
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as TestnetReport;
  throw new Error('the testnet did not come up: see above');
}

async function connectionsOf(dataDir: string): Promise<number> {
  const client = await connectControl({ dataDir });
  try {
    let connections = 0;
    for await (const { connected } of client.stream('peers', {})) connections += connected ? 1 : 0;
    return connections;
  } finally {
    client.close();
  }
}

function rssOf({ pid }: ChildProcess): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

function cpuOf({ pid }: ChildProcess): number {
  const [hours = 0, minutes = 0, seconds = 0] = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/[:-]/)
    .slice(-3)
    .map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

function report(one: Measured, many: Measured): void {
  const rows = [
    ['', '1 node', `${many.nodes} nodes`, 'goal'],
    ['converged after', seconds(one.upMs), seconds(many.upMs), ''],
    ['CPU until then', seconds(one.cpuMs), seconds(many.cpuMs), ''],
    ['RSS then', mib(one.rssMiB), mib(many.rssMiB), ''],
    [`RSS ${SETTLE_MS / 1_000} s later`, mib(one.settledMiB), mib(many.settledMiB), `≤ ${GOAL_RSS_MIB} MiB`],
    ['connections of a node', spread(one.connections), spread(many.connections), `median ≥ ${GOAL_CONNECTIONS}`],
    ['RSS per further node', '', mib((many.settledMiB - one.settledMiB) / (many.nodes - 1)), ''],
  ];
  for (const [name = '', ...cells] of rows) {
    process.stdout.write(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(18)).join('')}\n`);
  }
  const median = many.connections[Math.floor(many.connections.length / 2)] ?? 0;
  const met = many.settledMiB <= GOAL_RSS_MIB && median >= GOAL_CONNECTIONS;
  process.stdout.write(met ? 'the goals are met\n' : 'a goal is MISSED\n');
  process.exitCode = met ? 0 : 1;
}

/** Fewest, median and most. */
function spread(sorted: readonly number[]): string {
  return `${sorted[0]} · ${sorted[Math.floor(sorted.length / 2)]} · ${sorted.at(-1)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function mib(value: number): string {
  return `${value.toFixed(1)} MiB`;
}
