/** What a scenario asserts: figures so far, or that a record is found, or not, by several nodes. */
import { describeRead } from './describe-outcome.ts';
import { findLostRecords } from './find-lost-records.ts';
import { percentile } from './percentile.ts';
import { ASSERTED_FIGURES, type AssertedFigure, type CommandOf, type Comparison } from './scenario-command.ts';
import type { ScenarioRun } from './scenario-run.ts';

/** How many nodes are asked for a record. */
const READERS = 3;

export interface AssertionResult {
  readonly text: string;
  readonly isFailure: boolean;
}

export async function checkAssertion(
  run: ScenarioRun,
  command: CommandOf<'assert' | 'assert-found' | 'assert-absent'>,
): Promise<AssertionResult> {
  if (command.verb !== 'assert') return checkRecord(run, command);
  const { figure, comparison, limit } = command;
  const value = await figureOf(run, figure);
  const isFailure = !compare(value, comparison, limit);
  return { isFailure, text: `${isFailure ? 'FAILED' : 'holds'}, it is ${show(figure, value)}` };
}

async function checkRecord(
  run: ScenarioRun,
  command: CommandOf<'assert-found' | 'assert-absent'>,
): Promise<AssertionResult> {
  const value = command.verb === 'assert-found' ? command.value : undefined;
  const readers = run.sample(run.nodesThatAre('running'), READERS);
  for (const node of readers) {
    const outcome = await run.get(node, command.key);
    const isAsserted =
      command.verb === 'assert-found'
        ? outcome.kind === 'found' && (value === undefined || outcome.value === value)
        : outcome.kind === 'failed' && outcome.code === 'NOT_FOUND';
    if (!isAsserted) return { isFailure: true, text: `FAILED at node ${node}: ${describeRead(outcome)}` };
  }
  if (readers.length === 0) return { isFailure: true, text: 'FAILED: no node is running' };
  return { isFailure: false, text: 'holds' };
}

async function figureOf(run: ScenarioRun, figure: AssertedFigure): Promise<number> {
  const { figures, target, account } = run;
  switch (figure) {
    case 'lost':
      return (await findLostRecords(run)).length;
    case 'gets':
      return figures.shareOf('right');
    case 'partial':
      return figures.shareOf('partial');
    case 'wrong':
      return figures.shareOf('stale', 'not-found');
    case 'not-found':
    case 'stale':
      return figures.gets[figure];
    case 'alive':
      return run.alive;
    case 'copies': {
      const counts = await target.countCopies?.([...account.live(target.clock.now())]);
      return Math.min(...(counts ?? [Number.NaN]));
    }
    case 'p50':
    case 'p95':
    case 'p99':
      return percentile(figures.getMs, Number(figure.slice(1)) / 100);
  }
}

function compare(value: number, comparison: Comparison, limit: number): boolean {
  switch (comparison) {
    case '=':
      return value === limit;
    case '>=':
      return value >= limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '<':
      return value < limit;
  }
}

function show(figure: AssertedFigure, value: number): string {
  switch (ASSERTED_FIGURES[figure]) {
    case 'number':
      return String(value);
    case 'share':
      return `${(value * 100).toFixed(3)} %`;
    case 'duration':
      return `${value.toFixed(0)} ms`;
  }
}
