/**
 * Does the commands of a scenario to a network, one after the other, and says what came of each. A failed `assert` is counted and the run goes
 * on; only a command that cannot be done ends it. Not here: the network, and how the outcome is shown.
 */
import { assert, isNautilusError, NautilusError, onAbort } from '../../src/core/index.ts';
import { runChurn, runFlap, runLoad, runRoll } from './background-commands.ts';
import { changeNodes } from './change-nodes.ts';
import { checkAssertion } from './check-assertion.ts';
import { describeRead, describeWrite } from './describe-outcome.ts';
import { findLostRecords } from './find-lost-records.ts';
import { putMany } from './put-many.ts';
import { SampleTaker } from './sample-taker.ts';
import type { CommandOf, ScenarioCommand } from './scenario-command.ts';
import type { CopyFigures, ScenarioFigures } from './scenario-figures.ts';
import { ScenarioRun } from './scenario-run.ts';
import type { PurposeTraffic, ScenarioTarget } from './scenario-target.ts';

export interface ScenarioOutput {
  /** A command is done. `result` is one line. @param atMs since the scenario began */
  onResult(command: ScenarioCommand, atMs: number, result: string): void;
  /** Told about once a minute of the scenario's time. */
  onProgress?(elapsedMs: number): void;
}

export interface ScenarioReport {
  readonly elapsedMs: number;
  /** Nodes there are, and those that run. */
  readonly nodes: number;
  readonly alive: number;
  /** Seconds that nodes ran, all together. */
  readonly nodeSeconds: number;
  readonly figures: ScenarioFigures;
  /** Acknowledged records that have not expired. */
  readonly records: number;
  /** Keys of those that nobody finds. */
  readonly lost: readonly string[];
  readonly copies: CopyFigures | undefined;
  /** Sent until the last command was done, without the final reads. */
  readonly traffic: readonly PurposeTraffic[];
  /** The asserts that did not hold, each as a line. */
  readonly failures: readonly string[];
}

export interface RunScenarioOptions {
  readonly signal?: AbortSignal | undefined;
}

/** @throws NautilusError `USAGE` for a command that cannot be done, with its line; the signal's reason */
export async function runScenario(
  commands: readonly ScenarioCommand[],
  target: ScenarioTarget,
  output: ScenarioOutput,
  options: RunScenarioOptions = {},
): Promise<ScenarioReport> {
  const { signal } = options;
  const run = new ScenarioRun(target);
  const leaveSignal = signal && onAbort(signal, () => run.fail(signal.reason));
  const samples = new SampleTaker(run, (elapsedMs) => output.onProgress?.(elapsedMs));
  const failures: string[] = [];
  try {
    for (const command of commands) {
      run.signal.throwIfAborted();
      const { isFailure, text } = await runCommand(run, command);
      if (isFailure) failures.push(`line ${command.line}: ${command.text}: ${text}`);
      output.onResult(command, run.elapsedMs, text);
      if (command.verb === 'nodes') samples.start();
    }
    await run.settle();
    await samples.end();
    const keys = [...run.account.live(target.clock.now())];
    const { elapsedMs } = run;
    return {
      elapsedMs,
      nodes: target.states().size,
      alive: run.alive,
      nodeSeconds: (run.figures.meanAlive * elapsedMs) / 1_000,
      figures: run.figures,
      traffic: target.traffic?.() ?? [],
      records: keys.length,
      lost: await findLostRecords(run),
      copies: await samples.copiesOf(keys),
      failures,
    };
  } finally {
    samples.stop();
    leaveSignal?.(); // it may outlive the run, and would keep it and its network alive
  }
}

interface CommandResult {
  readonly text: string;
  readonly isFailure?: boolean;
}

async function runCommand(run: ScenarioRun, command: ScenarioCommand): Promise<CommandResult> {
  try {
    return await doCommand(run, command);
  } catch (error) {
    if (!isNautilusError(error, 'USAGE')) throw error;
    throw new NautilusError('USAGE', `line ${command.line}: ${command.text}: ${error.message}`, { cause: error });
  }
}

async function doCommand(run: ScenarioRun, command: ScenarioCommand): Promise<CommandResult> {
  const { target } = run;
  switch (command.verb) {
    case 'nodes':
      await target.start(command.count);
      return { text: `${command.count} have joined` };
    case 'latency':
      target.setLatency(command.latency);
      return { text: 'set' };
    case 'loss':
      target.setLoss(command.share);
      return { text: 'set' };
    case 'put-many':
      return { text: await putMany(run, command) };
    case 'put': {
      const { key, value, ttlMs } = command;
      return { text: describeWrite(await run.put(await run.caller(command.from), { key, value, ttlMs }), 'stored') };
    }
    case 'get':
      return { text: describeRead(await run.get(await run.caller(command.from), command.key)) };
    case 'delete':
      return { text: describeWrite(await run.delete(await run.caller(command.from), command.key), 'deleted') };
    case 'load':
      run.begin(() => runLoad(run, command));
      return { text: 'goes on' };
    case 'churn':
      run.begin(() => runChurn(run, command));
      return { text: 'goes on' };
    case 'roll':
      run.begin(() => runRoll(run, command));
      return { text: 'goes on' };
    case 'flap':
      run.begin(() => runFlap(run, command));
      return { text: 'goes on' };
    case 'lookups':
      return lookUp(run, command.count);
    case 'join':
    case 'leave':
    case 'kill':
    case 'pause':
    case 'resume':
    case 'restart':
    case 'skew':
      return { text: await changeNodes(run, command) };
    case 'partition':
      return partition(run, command);
    case 'heal':
      target.heal();
      return { text: 'everybody hears everybody' };
    case 'wait':
      if (command.ms === undefined) await run.settle();
      else await run.sleep(command.ms);
      return { text: 'done' };
    case 'assert':
    case 'assert-found':
    case 'assert-absent':
      return checkAssertion(run, command);
  }
}

async function lookUp(run: ScenarioRun, count: number): Promise<CommandResult> {
  const lookups = await run.target.lookUp?.(count);
  if (lookups === undefined)
    throw new NautilusError('USAGE', 'nobody knows every node of this network: take the line out');
  run.figures.lookups.push(...lookups);
  const overlap = lookups.reduce((sum, lookup) => sum + lookup.overlap, 0) / lookups.length;
  return { text: `found ${(overlap * 100).toFixed(2)} % of the true closest` };
}

function partition(run: ScenarioRun, { groups, isOneWay }: CommandOf<'partition'>): CommandResult {
  const nodes = [...run.target.states().keys()];
  const half = run.sample(nodes, Math.floor(nodes.length / 2)).sort((a, b) => a - b);
  const others = nodes.filter((node) => !half.includes(node));
  const [first, second, ...rest] = groups.map((group, index) => {
    if (group === 'half') return index === 0 ? half : others;
    run.choose({ kind: 'numbers', numbers: group }); // they exist
    return group;
  });
  assert(first !== undefined && second !== undefined, 'the parser wants two groups');
  if (isOneWay) run.target.partitionOneWay(first, second);
  else run.target.partition([first, second, ...rest]);
  return { text: isOneWay ? 'cut one way' : `${groups.length} groups` };
}
