/** What must be true of every outage of a ring (issue of the registry store), and the figures beside it. */
import { expect } from 'vitest';
import { printFigures, recordFigure } from './figures.ts';
import { AT_ONCE_MS, PUT_DEADLINE_MS } from './judge-outage.ts';
import type { SeedReport } from './ring-outages.ts';

export function expectOutages({ phases, problems, records }: SeedReport): void {
  expect(problems).toEqual([]);
  expect(records).toBeGreaterThan(0);
  for (const { verdict, target, hints } of phases) {
    expect(verdict.problems).toEqual([]);
    expect(verdict.puts).toBeGreaterThan(0);
    // It was really away, and really went without.
    expect(hints).toBeGreaterThan(0);
    if (target === 'store') expect(verdict.refused).toBeGreaterThan(0);
    else expect(verdict.answered).toBeGreaterThan(0);
    expect(verdict.slowestPutMs).toBeLessThanOrEqual(PUT_DEADLINE_MS);
    expect(verdict.slowestRefusalMs).toBeLessThan(AT_ONCE_MS);
  }
}

export function printOutages(seeds: readonly number[], reports: readonly SeedReport[]): void {
  const heading = ['seed', 'shard', 'target', 'open after', 'puts', 'failed before', 'slowest before'];
  const more = ['gets', 'SHARD_DOWN', 'slowest', 'answered', 'hints', 'home after'];
  const ms = (value: number) => `${Math.round(value)} ms`;
  const rows = reports.flatMap(({ phases }, index) =>
    phases.map(({ what, target, verdict, openMs, homeMs, hints }) => [
      seeds[index]!,
      what,
      target,
      ms(openMs),
      verdict.puts,
      verdict.putsFailed,
      ms(verdict.slowestPutMs),
      verdict.gets,
      verdict.refused,
      ms(verdict.slowestRefusalMs),
      verdict.answered,
      hints,
      ms(homeMs),
    ]),
  );
  printFigures([[...heading, ...more], ...rows]);
}

export function recordOutages(reports: readonly SeedReport[]): void {
  const phases = reports.flatMap((report) => report.phases);
  for (const target of new Set(phases.map((phase) => phase.target))) {
    const own = phases.filter((phase) => phase.target === target);
    const sum = (of: (phase: SeedReport['phases'][number]) => number) =>
      own.reduce((total, phase) => total + of(phase), 0);
    const most = (of: (phase: SeedReport['phases'][number]) => number) => Math.round(Math.max(...own.map(of)));
    const failed = sum(({ verdict }) => verdict.putsFailed);
    const early = `${failed} failed before the circuit opened, ${most(({ verdict }) => verdict.slowestPutMs)} ms at most`;
    const puts = `${sum(({ verdict }) => verdict.puts)} puts, ${early}, 0 after`;
    const refused = `${sum(({ verdict }) => verdict.refused)} gets SHARD_DOWN within ${most(({ verdict }) => verdict.slowestRefusalMs)} ms`;
    const answered = `${sum(({ verdict }) => verdict.answered)} gets of what was there answered by others`;
    const gets = target === 'store' ? refused : answered;
    const hints = `${sum((phase) => phase.hints)} hints, all home after ${most(({ homeMs }) => homeMs)} ms at most`;
    recordFigure(
      `a ring of three redis, one killed, one stopped, ${reports.length} seeds: ${target}`,
      `${puts}; ${gets}; ${hints}`,
    );
  }
}
