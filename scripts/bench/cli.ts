/**
 * How long the CLI takes to start, beside a bare `node empty.js` of the same run: medians of runs that take turns, so that whatever else the
 * machine does falls on all of them alike. Needs a build. Usage: npm run bench:cli
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNS = 15;
const BIN = process.env.NAUTILUS_BIN ?? fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

interface Candidate {
  readonly name: string;
  readonly args: readonly string[];
  /** Milliseconds over bare Node; undefined for the baseline. */
  readonly limitMs?: number;
}

const directory = await mkdtemp(join(tmpdir(), 'nautilus-bench-'));
let node: ChildProcess | undefined;
try {
  const empty = join(directory, 'empty.js');
  await writeFile(empty, '');
  const dataDir = join(directory, 'node');
  node = await startNode(dataDir);
  const verb = (...args: string[]) => [BIN, ...args, '--data-dir', dataDir];
  const candidates: readonly Candidate[] = [
    { name: 'node empty.js', args: [empty] },
    { name: 'nautilus --help', args: [BIN, '--help'], limitMs: 60 },
    { name: 'nautilus put', args: verb('put', 'bench/cli', 'value'), limitMs: 150 },
    { name: 'nautilus get', args: verb('get', 'bench/cli'), limitMs: 150 },
    { name: 'nautilus status', args: verb('status'), limitMs: 150 },
  ];
  const timesMs = new Map(candidates.map((candidate) => [candidate, [] as number[]]));
  for (let run = 0; run < RUNS; run++) {
    for (const candidate of candidates) timesMs.get(candidate)?.push(await timeMs(candidate.args));
  }
  report(candidates.map((candidate) => ({ ...candidate, medianMs: median(timesMs.get(candidate) ?? []) })));
} finally {
  if (node !== undefined && node.exitCode === null) {
    node.kill('SIGTERM');
    await once(node, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
}

async function startNode(dataDir: string): Promise<ChildProcess> {
  const args = [
    BIN,
    'start',
    '--json',
    '--data-dir',
    dataDir,
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--network',
    'bench',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the node ended with ${code} instead of starting`);
    }),
  ]);
  return child;
}

async function timeMs(args: readonly string[]): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  const elapsedMs = performance.now() - begun;
  if (code !== 0) throw new Error(`"${args.join(' ')}" ended with ${code}`);
  return elapsedMs;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report(results: readonly (Candidate & { readonly medianMs: number })[]): void {
  const bareMs = results[0]?.medianMs ?? Number.NaN;
  console.log(`median of ${RUNS} runs, Node ${process.version}\n`);
  console.log(`${'command'.padEnd(18)}${'ms'.padStart(7)}${'over bare'.padStart(12)}${'limit'.padStart(8)}`);
  for (const { name, medianMs, limitMs } of results) {
    const over = limitMs === undefined ? '' : `+${(medianMs - bareMs).toFixed(0)}`;
    const limit = limitMs === undefined ? '' : `+${limitMs}`;
    const verdict = limitMs === undefined ? '' : medianMs - bareMs <= limitMs ? '  within' : '  OVER';
    console.log(
      `${name.padEnd(18)}${medianMs.toFixed(0).padStart(7)}${over.padStart(12)}${limit.padStart(8)}${verdict}`,
    );
  }
}
