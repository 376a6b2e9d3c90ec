import { beforeEach, describe, expect, test } from 'vitest';
import { isNautilusError } from '../../../../src/core/index.ts';
import { JobNotStarted, JobQueue } from '../../../../src/registry/ring/job-queue.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

let clock: ManualClock;
let settled: (string | undefined)[];

function queue(limits: { maxJobs?: number; maxRunning?: number } = {}) {
  return new JobQueue({
    owner: 'the shard',
    clock,
    maxJobs: 100,
    maxRunning: 4,
    timeoutMs: 1_000,
    ...limits,
    onSettled: (error) => settled.push(error === undefined ? undefined : String((error.reason as Error).message)),
  });
}

/** A job that is over when the test says so. */
function gate() {
  let end: (value: string) => void = () => undefined;
  const promise = new Promise<string>((resolve) => {
    end = resolve;
  });
  let isStarted = false;
  const run = () => {
    isStarted = true;
    return promise;
  };
  return { run, end: (value: string) => end(value), started: () => isStarted };
}

const codeOf = (error: unknown) => (isNautilusError(error) ? error.code : error);

beforeEach(() => {
  clock = new ManualClock();
  settled = [];
});

describe('a job queue', () => {
  test('runs jobs that share a key in the order they came, and others meanwhile', async () => {
    const jobs = queue();
    const [first, second, other] = [gate(), gate(), gate()];
    const done: string[] = [];
    void jobs.add(['a', 'b'], first.run).then((name) => done.push(name));
    void jobs.add(['b', 'c'], second.run).then((name) => done.push(name));
    void jobs.add(['d'], other.run).then((name) => done.push(name));
    expect([first.started(), second.started(), other.started()]).toEqual([true, false, true]);
    other.end('other');
    await settle();
    first.end('first');
    await settle();
    expect(second.started()).toBe(true);
    second.end('second');
    await settle();
    expect(done).toEqual(['other', 'first', 'second']);
    expect(jobs.depth).toBe(0);
  });

  test('runs no more at once than it may', async () => {
    const jobs = queue({ maxRunning: 2 });
    const gates = [gate(), gate(), gate()];
    const all = gates.map(({ run }, n) => jobs.add([String(n)], run));
    expect(gates.map(({ started }) => started())).toEqual([true, true, false]);
    gates[0]!.end('');
    await settle();
    expect(gates[2]!.started()).toBe(true);
    for (const { end } of gates) end('');
    await Promise.all(all);
  });

  test('turns away at once what is beyond its bound, and takes more when there is room', async () => {
    const jobs = queue({ maxJobs: 2 });
    const gates = [gate(), gate()];
    const taken = gates.map(({ run }) => jobs.add([], run));
    await expect(jobs.add([], async () => 'late').catch(codeOf)).resolves.toBe('RESOURCE_EXHAUSTED');
    gates[0]!.end('');
    await taken[0];
    await expect(jobs.add([], async () => 'now')).resolves.toBe('now');
    gates[1]!.end('');
    await taken[1];
  });

  test('fails a job past its deadline, once, and goes on with those behind it', async () => {
    const jobs = queue({ maxRunning: 1 });
    const hanging = gate();
    const stuck = jobs.add(['a'], hanging.run).catch(codeOf);
    await clock.advance(600);
    const next = jobs.add(['a'], async () => 'next');
    await clock.advance(400);
    expect(await stuck).toBe('STORAGE_FAILED');
    expect(await next).toBe('next');
    hanging.end('too late');
    await settle();
    expect(settled).toEqual([expect.stringMatching(/has not answered for 1000 ms/), undefined]);
  });

  test('counts waiting too: what was not begun in time is busy, not broken', async () => {
    const jobs = queue({ maxRunning: 1 });
    const hanging = gate();
    const stuck = jobs.add([], hanging.run).catch(codeOf);
    const waiting = gate();
    const late = jobs.add([], waiting.run).catch(codeOf);
    await clock.advance(1_000);
    expect([await stuck, await late]).toEqual(['STORAGE_FAILED', 'RESOURCE_EXHAUSTED']);
    expect(waiting.started()).toBe(false);
    expect(settled).toHaveLength(1);
  });

  test('gives back what has not begun when it is flushed, and finishes the rest', async () => {
    const jobs = queue({ maxRunning: 1 });
    const running = gate();
    const first = jobs.add(['a'], running.run);
    const second = jobs.add(['a'], async () => 'second');
    jobs.flush();
    await expect(second).rejects.toThrow(JobNotStarted);
    running.end('first');
    await expect(first).resolves.toBe('first');
    await jobs.idle();
    expect(clock.pendingTimers).toBe(0);
  });

  test('a job that throws at once fails alone', async () => {
    const jobs = queue();
    const bad = jobs.add(['a'], () => {
      throw new Error('no');
    });
    const good = jobs.add(['a'], async () => 'good');
    await expect(bad).rejects.toThrow('no');
    expect(await good).toBe('good');
  });
});
