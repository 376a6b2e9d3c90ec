/** A scenario on real processes, run by the CLI as people run it, and what it reports. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { expect } from 'vitest';
import { type CliResult, nautilus } from './cli.ts';

/** Of `testnet run --json`, the last line: what the tests look at. */
export interface RunReport {
  readonly elapsedMs: number;
  readonly nodes: number;
  readonly alive: number;
  readonly sessions: { readonly ended: number; readonly begun: number };
  readonly gets: Readonly<Record<'total' | 'right' | 'partial' | 'stale' | 'not-found' | 'error', number>>;
  readonly getMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly getRequests: { readonly p50: number };
  readonly records: number;
  readonly lost: readonly string[];
  readonly failures: readonly string[];
  /** What a node sends in a second. */
  readonly perNodeAndSecond: readonly { readonly purpose: string; readonly bytes: number }[];
}

export interface RunCommand {
  readonly command: string;
  readonly result: string;
}

export interface ProcessRun {
  readonly code: CliResult['code'];
  readonly commands: readonly RunCommand[];
  readonly report: RunReport;
  /** Where the nodes kept their files. */
  readonly directory: string;
}

/** @param args of `testnet run` */
export async function runOnProcesses(args: readonly string[], timeoutMs: number): Promise<ProcessRun> {
  const { code, stdout, stderr } = await nautilus(['testnet', 'run', ...args, '--json'], { timeoutMs });
  const objects = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly type: string });
  const report = objects.find(({ type }) => type === 'report');
  if (report === undefined) throw new Error(`the run ended with ${code}: ${stdout}${stderr}`);
  const commands = objects.filter(({ type }) => type === 'command');
  return {
    code,
    commands: commands as unknown as readonly RunCommand[],
    report: report as unknown as RunReport,
    directory: directoryIn(stderr),
  };
}

export function directoryIn(stderr: string): string {
  return /keep their files in (\S+)/.exec(stderr)?.[1] ?? '';
}

/** What a run left behind: processes by their arguments, and its directory. */
export function leftOf(directory: string): string[] {
  const processes = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n');
  return [...processes.filter((line) => line.includes(directory)), ...(existsSync(directory) ? [directory] : [])];
}

/** What holds of churn whatever its size: nothing lost, nothing denied that is there, nothing left behind. */
export async function expectChurnSurvived({ report, directory }: ProcessRun): Promise<void> {
  // Of 160: a put that misses its quorum on a machine that is too busy says so, and promised nothing.
  expect(report.records).toBeGreaterThan(80);
  expect(report.lost).toEqual([]);
  expect(report.gets).toMatchObject({ stale: 0, 'not-found': 0 });
  expect(report.gets.right + report.gets.partial).toBeGreaterThan(0);
  // The scenario asserts more for its real size: sessions of two hours, not of minutes.
  expect(report.failures.filter((failure) => !failure.includes('assert gets'))).toEqual([]);
  await rm(directory, { recursive: true, force: true }); // kept when an assert does not hold
  expect(leftOf(directory)).toEqual([]);
}
