/**
 * Each storage beside the bare thing under it (a Map, lmdb, ioredis, pg) in one run: get, put, batch and scan of 256 B, in records per second. Both
 * sides get the same keys and entries, as many at a time, each call awaited, each write as durable; what the bare side does by hand is said in
 * bare-sides.ts. They take turns: one round that does not count (a node runs for months, its code is compiled), then nine short ones; what counts is
 * the median of the rounds' ratios, since the machine changes from one to the next. What the bench itself leaves behind is collected before the
 * clock runs. Our side is the built one, as it is installed. Servers are throw-away ones. Exit code 1 when a ratio misses the goal.
 * Usage: npm run bench:store [-- --records 2000 --memory-records 1000000 --only memory,lmdb,redis,postgres]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import type * as registry from '../../src/registry/index.ts';
import { missingPostgres, startPostgresServer } from '../../test/support/postgres-server.ts';
import { bareLmdb, bareMap, barePostgres, bareRedis } from './bare-sides.ts';
import { type BenchEntry, type StoreSide, storageSide } from './store-side.ts';

const GOAL = 0.5;
const ROUNDS = 9;
const WARM_UP_ROUNDS = 1;
const IN_FLIGHT = 64;
const BATCH = 1_000;
const PAGE = 256;
const VALUE_BYTES = 256;
const POOL_SIZE = 5;

const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '2000' },
    'memory-records': { type: 'string', default: '1000000' },
    only: { type: 'string', default: 'memory,lmdb,redis,postgres' },
  },
});
const records = Number(flags.records);
const memoryRecords = Number(flags['memory-records']);

interface Sides {
  readonly bareName: string;
  readonly held: number;
  /** Of one measurement. Gets leave garbage and no records: enough of them that each side meets its own collections. */
  readonly operations: number;
  readonly gets: number;
  readonly ours: StoreSide;
  readonly bare: StoreSide;
  /** @default all: a Map copies nothing, keeps no order, no deadlines and no bound, so beside it only finding a key is the same thing */
  readonly goalFor?: readonly string[];
}

interface Figure {
  readonly storage: string;
  readonly operation: string;
  readonly 'ours/s': number;
  readonly 'bare/s': number;
  readonly beside: string;
  readonly ratio: number;
  readonly hasGoal: boolean;
}

type Work = (side: StoreSide, round: number) => Promise<number>;

// tsx gives every closure its name again when it is made; what is installed does not.
const built = new URL('../../dist/src/registry/index.js', import.meta.url);
const { openStorage }: typeof registry = await import(built.href);

const root = await mkdtemp(join(tmpdir(), 'nautilus-bench-'));
/** What was opened, to be closed in reverse. */
const opened: (() => Promise<unknown>)[] = [() => rm(root, { recursive: true, force: true })];
const figures: Figure[] = [];
try {
  const subjects: Record<string, () => Promise<Sides>> = { memory, lmdb, redis, postgres };
  for (const name of flags.only.split(',')) {
    const open = subjects[name];
    if (open === undefined) throw new Error(`--only ${name}: known are ${Object.keys(subjects).join(', ')}`);
    figures.push(...(await measureSides(name, await open())));
  }
} finally {
  for (const close of opened.reverse()) await close();
}
console.table(
  figures.map(({ ratio, hasGoal, ...rest }) => ({
    ...rest,
    ratio: ratio.toFixed(2),
    goal: hasGoal ? `>= ${GOAL}` : '',
  })),
);
const missed = figures
  .filter(({ ratio, hasGoal }) => hasGoal && ratio < GOAL)
  .map(({ storage, operation }) => `${storage} ${operation}`);
console.log(`each at least ${GOAL} x the bare one: ${missed.length === 0 ? 'met' : `MISSED by ${missed.join(', ')}`}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function measureSides(storage: string, sides: Sides): Promise<Figure[]> {
  const { held, operations, gets, ours, bare, bareName, goalFor } = sides;
  for (const side of [ours, bare]) await fill(side, held);
  const entriesFrom = (first: number) => Array.from({ length: operations }, (_, n) => entryOf(first + n));
  // What the sides are handed is made before the clock runs.
  const works: Record<string, Work> = {
    get: async (side) => {
      const keys = Array.from({ length: gets }, (_, n) => keyOf((n * 7_919) % held));
      return inFlight(gets, (n) => side.get(keys[n]!));
    },
    put: async (side, round) => {
      const entries = entriesFrom(held + round * operations);
      return inFlight(operations, (n) => side.put(entries[n]!));
    },
    batch: async (side, round) => {
      const entries = entriesFrom(held + (WARM_UP_ROUNDS + ROUNDS + round) * operations);
      sweep();
      const startedAt = performance.now();
      for (let n = 0; n < operations; n += BATCH) await side.batch(entries.slice(n, n + BATCH));
      return perSecond(operations, startedAt);
    },
    scan: async (side) => {
      sweep();
      const startedAt = performance.now();
      return perSecond(await side.scan(PAGE, operations), startedAt);
    },
  };
  const results: Figure[] = [];
  for (const [operation, work] of Object.entries(works)) {
    const rounds: { readonly ours: number; readonly bare: number }[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      // By turns the first, so that neither always has the warmer machine.
      const order = round % 2 === 0 ? ([ours, bare] as const) : ([bare, ours] as const);
      const speeds = new Map<StoreSide, number>();
      for (const side of order) speeds.set(side, await work(side, round));
      if (round >= WARM_UP_ROUNDS) rounds.push({ ours: speeds.get(ours)!, bare: speeds.get(bare)! });
    }
    const ratio = median(rounds.map((each) => each.ours / each.bare));
    const [oursPerSecond, barePerSecond] = [rounds.map((each) => each.ours), rounds.map((each) => each.bare)].map(
      median,
    );
    results.push({
      storage,
      operation,
      'ours/s': Math.round(oursPerSecond!),
      'bare/s': Math.round(barePerSecond!),
      beside: bareName,
      ratio,
      hasGoal: goalFor?.includes(operation) ?? true,
    });
  }
  await ours.close();
  await bare.close();
  return results;
}

async function fill(side: StoreSide, count: number): Promise<void> {
  for (let n = 0; n < count; n += BATCH) {
    await side.batch(Array.from({ length: Math.min(BATCH, count - n) }, (_, i) => entryOf(n + i)));
  }
}

async function inFlight(count: number, work: (n: number) => unknown): Promise<number> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  sweep();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return perSecond(count, startedAt);
}

function perSecond(count: number, startedAt: number): number {
  return (count * 1_000) / (performance.now() - startedAt);
}

/** 64 bytes, as the registry's, spread over the key space by a mixer (murmur3's) that leaves nothing to collect, as a hash object would. */
function keyOf(n: number): Buffer {
  const key = Buffer.allocUnsafe(64);
  for (let word = 0; word < 16; word++) {
    let mixed = Math.imul(n + 1, 0x9e3779b1) + word;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    key.writeInt32BE(mixed ^ (mixed >>> 16), word * 4);
  }
  return key;
}

/** Of what was made for the clock to run on: the young generation is emptied, twice since what lives moves out at the second. */
function sweep(): void {
  globalThis.gc?.({ type: 'minor' });
  globalThis.gc?.({ type: 'minor' });
}

function entryOf(n: number): BenchEntry {
  return { key: keyOf(n), value: Buffer.alloc(VALUE_BYTES, n), version: 1, expiresAt: Date.now() + 3_600_000 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function openOurs(url: string): Promise<StoreSide> {
  return storageSide(await openStorage(url, { dataDir: root, clock: systemClock, observer: SILENT_OBSERVER }));
}

async function memory(): Promise<Sides> {
  const operations = Math.max(BATCH, Math.min(20_000, memoryRecords / 10));
  const maxRecords = memoryRecords + 2 * (WARM_UP_ROUNDS + ROUNDS) * operations;
  const ours = await openOurs(`memory:?maxRecords=${maxRecords}&maxBytes=${maxRecords * 1_000}`);
  return {
    bareName: 'a Map',
    held: memoryRecords,
    operations,
    gets: 5 * operations,
    ours,
    bare: bareMap(),
    goalFor: ['get'],
  };
}

async function lmdb(): Promise<Sides> {
  const ours = await openOurs(`lmdb:${join(root, 'ours')}`);
  return {
    bareName: 'lmdb',
    held: records,
    operations: records,
    gets: records,
    ours,
    bare: bareLmdb(join(root, 'bare')),
  };
}

async function redis(): Promise<Sides> {
  const port = await startRedis();
  const ours = await openOurs(`redis://127.0.0.1:${port}/0?prefix=ours`);
  return { bareName: 'ioredis', held: records, operations: records, gets: records, ours, bare: bareRedis(port) };
}

async function postgres(): Promise<Sides> {
  const missing = missingPostgres();
  if (missing !== undefined) throw new Error(missing);
  const server = await startPostgresServer();
  opened.push(() => server.dispose());
  const ours = await openOurs(`${server.url()}?poolSize=${POOL_SIZE}`);
  const bare = await barePostgres(server.url(), POOL_SIZE);
  return { bareName: 'pg', held: records, operations: records, gets: records, ours, bare };
}

/** Keeps nothing on disk: what is compared is the way there. */
async function startRedis(): Promise<number> {
  const port = await freePort();
  const child: ChildProcess = spawn(
    'redis-server',
    ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', root],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  opened.push(async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    const gone = once(child, 'exit');
    child.kill();
    await gone;
  });
  await once(child, 'spawn').catch(() => {
    throw new Error('redis-server is missing: apt-get install redis-server (its service need not run)');
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.includes('Ready to accept connections')) continue;
    child.stdout!.resume();
    return port;
  }
  throw new Error('redis-server did not start');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { readonly port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
