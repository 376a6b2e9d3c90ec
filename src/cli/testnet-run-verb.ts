/** testnet run: a scenario on real processes, as `sim` runs it on simulated ones. Loaded only when it is run. */
import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../commands/index.ts';
import { NautilusError } from '../core/index.ts';
import { runVerb } from './run-verb.ts';
import { announceSeed, positiveNumber, tellFailures } from './scenario-run.ts';
import { wholeNumber } from './whole-number.ts';

interface RunFlags {
  readonly nodes?: number | undefined;
  readonly seed?: string | undefined;
  readonly speed?: number | undefined;
  readonly for?: number | undefined;
}

/** A machine of a few cores runs some dozen, at 100 MiB each; the scenarios that come with Nautilus are for `sim` and larger. */
const MAX_PROCESSES = 64;

export function addTestnetRunVerb(testnet: Command): void {
  testnet
    .command('run')
    .summary('run a scenario on real processes, and end them')
    .description(
      'Starts a process per node and does to them what a scenario says, on lines with the latency, loss and cuts it says. Nothing is left of them, except after a failure. Ends with 1 when an assert does not hold.',
    )
    .argument('<scenario>', 'one that comes with Nautilus, or the path of a file')
    .option('-n, --nodes <count>', 'instead of what the scenario says', (text) => wholeNumber(text, 1, MAX_PROCESSES))
    .option('--speed <factor>', 'everything in the scenario happens so many times faster', positiveNumber)
    .option('--for <duration>', 'how long load, churn and flapping go on', duration)
    .option(
      '--seed <seed>',
      'what chance follows from, but for the timing of the machine (default: a random one, printed first)',
    )
    .action((scenario: string, flags: RunFlags, command: Command) => runProcesses(command, scenario, flags));
}

function runProcesses(command: Command, scenario: string, flags: RunFlags): Promise<void> {
  return runVerb(command, async ({ output }) => {
    const { onInterrupt } = await import('./on-interrupt.ts');
    const { ScenarioNarrator } = await import('./scenario-narrator.ts');
    const interrupt = onInterrupt();
    try {
      await import('../platform/node20.ts');
      const scenarios = await import('../../testnet/scenarios/index.ts');
      const simulator = await import('../../testnet/simulator/index.ts');
      const launcher = await import('../../testnet/launcher/index.ts');
      const { name, commands: written } = scenarios.loadScenario(scenario);
      const { nodes, speed, for: forMs } = flags;
      const commands = scenarios.resizeScenario(written, { nodes, speed, forMs });
      if (scenarios.isRecordless(commands)) {
        const message = 'processes keep records: run a scenario of recordless nodes with "nautilus sim"';
        throw new NautilusError('USAGE', message);
      }
      const total = scenarios.nodesNeeded(commands);
      if (total > MAX_PROCESSES) {
        const message = `the scenario has ${total} nodes, and at most ${MAX_PROCESSES} can be processes: choose fewer with --nodes, or use "nautilus sim"`;
        throw new NautilusError('USAGE', message);
      }
      const seed = await announceSeed(output, flags.seed);
      const totalMs = scenarios.plannedMs(commands);
      const narrator = new ScenarioNarrator(output, { unit: 'second', totalMs, nodes: total });
      try {
        const report = await launcher.testnetRun(
          {
            seed,
            commands,
            signal: interrupt.signal,
            onDirectory: (path) => output.note(`the nodes keep their files in ${path}`),
            onJoined: () => narrator.onJoined(),
          },
          narrator,
        );
        await narrator.end();
        for (const rows of simulator.scenarioTables(report)) await output.line(`\n${simulator.formatTable(rows)}`);
        await output.object({ type: 'report', scenario: name, ...simulator.scenarioObject(report) });
        tellFailures(output, report.failures);
        if (report.directory !== undefined) output.note(`the files of the nodes are still in ${report.directory}`);
      } finally {
        await narrator.end();
      }
    } finally {
      interrupt.dispose();
    }
  });
}

function duration(text: string): number {
  const milliseconds = parseDuration(text) ?? 0;
  if (milliseconds > 0) return milliseconds;
  throw new InvalidArgumentError('It is not a duration such as 60s or 5m.');
}
