/**
 * How late a record's expiry is told with 100,000 other deadlines pending, beside bare timers for the same deadlines in the same run; and how much
 * work one turn takes, in CPU time of the main thread, so that neither what else the machine does is counted nor what other threads of the process
 * do meanwhile: the collector's and the compiler's helpers, and a storage's own. With those it is told as well, and how many turns over the goal
 * had a collection in them. First deadlines spread over seconds, then thousands due in the same millisecond, which leave in batches: of those only
 * the work counts. Our side is the built one. Exit code 1 when a goal is missed.
 * Usage: npm run bench:expiry [-- --storage memory:,lmdb:]
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Clock, type NodeEvent, SILENT_OBSERVER } from '../../src/core/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../src/records/index.ts';
import type * as registry from '../../src/registry/index.ts';
import { unsignedRecord } from '../../test/support/unsigned-record.ts';

const PENDING = 100_000;
const SPREAD = 1_000;
const SPREAD_MS = 4_000;
const BURST = 5_000;
/** From the last that was put to the first that expires, and from the spread ones to those due at once. */
const FILLING_MS = 15_000;
const PAUSE_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Merges at once while it is filled. */
const IN_FLIGHT = 1_000;
const GOAL_LATE_MS = 50;
const GOAL_WORK_MS = 10;
/** Linux only: nanoseconds of the main thread come first. Without it all threads count. */
const MAIN_THREAD = '/proc/self/schedstat';
const hasMainThread = existsSync(MAIN_THREAD);

interface Turn {
  readonly begunAt: number;
  readonly endedAt: number;
  /** CPU, ms. */
  readonly main: number;
  readonly all: number;
}

const collections: { readonly begunAt: number; readonly endedAt: number }[] = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries())
    collections.push({ begunAt: startTime, endedAt: startTime + duration });
}).observe({ entryTypes: ['gc'] });

const { values: flags } = parseArgs({ options: { storage: { type: 'string', default: 'memory:,lmdb:' } } });
const built = new URL('../../dist/src/registry/index.js', import.meta.url);
const { openRegistry, openStorage }: typeof registry = await import(built.href);

const root = await mkdtemp(join(tmpdir(), 'nautilus-bench-'));
/** Our timers keep no process alive. */
const alive = setInterval(() => undefined, HOUR_MS);
const rows: Record<string, string>[] = [];
const missed: string[] = [];
try {
  for (const url of flags.storage.split(',')) await measure(url);
} finally {
  clearInterval(alive);
  await rm(root, { recursive: true, force: true });
}
console.table(rows);
const verdict = missed.length === 0 ? 'met' : `MISSED by ${missed.join(', ')}`;
console.log(
  `99 of 100 at most ${GOAL_LATE_MS} ms later than bare timers, all turns at most ${GOAL_WORK_MS} ms of work: ${verdict}`,
);
process.exitCode = missed.length === 0 ? 0 : 1;

async function measure(url: string): Promise<void> {
  const turns: Turn[] = [];
  const due = new Map<string, number>();
  const late = new Map<string, number>();
  let onAllTold: () => void = () => undefined;
  const observer = {
    notify: (event: NodeEvent) => {
      if (event.type === 'warning') console.warn(event.message);
      if (event.type !== 'record-expired') return;
      late.set(event.key, systemClock.now() - due.get(event.key)!);
      due.delete(event.key);
      if (due.size === 0) onAllTold();
    },
  };
  const storage = await openStorage(url, { dataDir: root, clock: systemClock, observer: SILENT_OBSERVER });
  const constants = DEFAULT_NETWORK_CONSTANTS;
  const held = await openRegistry({ storage, clock: turnsMeasured(turns), constants, observer });
  const put = async (key: string, expiresAt: number) => {
    const { kind } = await held.merge(unsignedRecord(key, { value: 'x'.repeat(256), seq: 1, expiresAt }));
    if (kind !== 'stored') throw new Error(`${key} was not stored`);
  };
  const putAll = async (name: string, count: number, expiresAt: (n: number) => number) => {
    for (let from = 0; from < count; from += IN_FLIGHT) {
      const some = Array.from({ length: Math.min(IN_FLIGHT, count - from) }, (_, i) => from + i);
      await Promise.all(some.map((n) => put(`${name}/${n}`, expiresAt(n))));
    }
  };

  const startedAt = systemClock.now();
  await putAll('pending', PENDING, (n) => startedAt + HOUR_MS + n * 10);

  const first = systemClock.now() + FILLING_MS;
  const deadlines = Array.from({ length: SPREAD }, (_, n) => first + Math.floor((n * SPREAD_MS) / SPREAD));
  const instant = first + SPREAD_MS + PAUSE_MS;
  for (let n = 0; n < SPREAD; n++) due.set(`spread/${n}`, deadlines[n]!);
  for (let n = 0; n < BURST; n++) due.set(`burst/${n}`, instant);
  await putAll('spread', SPREAD, (n) => deadlines[n]!);
  await putAll('burst', BURST, () => instant);
  if (systemClock.now() >= first)
    throw new Error('the machine is too slow, or too busy: what was to expire later already has');
  const bare: number[] = [];
  for (const [n, deadline] of deadlines.entries()) {
    const told = () => {
      bare[n] = systemClock.now() - deadline;
    };
    setTimeout(told, deadline - systemClock.now());
  }
  turns.length = 0;
  await new Promise<void>((resolve) => {
    onAllTold = resolve;
  });
  // Collections are told a little later.
  await delay(PAUSE_MS);
  const over = turns.filter(({ all }) => all > GOAL_WORK_MS);
  const collecting = over.filter((turn) =>
    collections.some(({ begunAt, endedAt }) => begunAt < turn.endedAt && endedAt > turn.begunAt),
  );
  const work = turns.map(({ main }) => main);
  const lateOf = (name: string, count: number) => Array.from({ length: count }, (_, n) => late.get(`${name}/${n}`)!);
  const spreadLate = lateOf('spread', SPREAD);
  // A machine that stalls is late with both.
  const beyond = spreadLate.map((ms, n) => ms - bare[n]!);
  rows.push({
    storage: url,
    'late p50, p99, max': threeOf(spreadLate),
    'bare timers': threeOf(bare),
    'later than those': threeOf(beyond),
    [`the last of ${BURST} at once`]: `${Math.max(...lateOf('burst', BURST))} ms`,
    'work a turn p50, p99, max': threeOf(work),
    'with other threads': threeOf(turns.map(({ all }) => all)),
    [`of those over ${GOAL_WORK_MS} ms`]: `${over.length}, ${collecting.length} collecting`,
  });
  if (partOf(beyond, 0.99) > GOAL_LATE_MS) missed.push(`${url} late`);
  if (partOf(work, 1) > GOAL_WORK_MS) missed.push(`${url} work`);
  await held.close();
  await storage.close();
}

/** The system's clock; notes each timer's turn, with all that follows from it before the next. */
function turnsMeasured(turns: Turn[]): Clock {
  return {
    ...systemClock,
    setTimer: (delayMs, callback) =>
      systemClock.setTimer(delayMs, () => {
        const begunAt = performance.now();
        const before = cpu();
        callback();
        setImmediate(() => {
          const after = cpu();
          const [main, all] = [after.main - before.main, after.all - before.all];
          turns.push({ begunAt, endedAt: performance.now(), main, all });
        });
      }),
  };
}

/** So far, ms. */
function cpu(): { readonly main: number; readonly all: number } {
  // First: it brings the main thread's own count up to date, which is otherwise as old as the last tick.
  const { user, system } = process.cpuUsage();
  const all = (user + system) / 1_000;
  return { main: hasMainThread ? Number(readFileSync(MAIN_THREAD, 'utf8').split(' ', 1)[0]) / 1e6 : all, all };
}

function threeOf(values: readonly number[]): string {
  const three = [0.5, 0.99, 1].map((part) => partOf(values, part));
  return `${three.map((value) => value.toFixed(value < 10 ? 1 : 0)).join(', ')} ms`;
}

/** The value that this part of all is below. */
function partOf(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
