/** sim: a network of any size on a virtual clock, in this process, replayable from its seed. Loaded only when it is run. */
import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { NautilusError } from '../core/index.ts';
import { runVerb } from './run-verb.ts';
import { announceSeed, positiveNumber, tellFailures } from './scenario-run.ts';
import { wholeNumber } from './whole-number.ts';

interface SimFlags {
  readonly nodes?: readonly number[] | undefined;
  readonly seed?: string | undefined;
  readonly scenario: string;
  readonly speed?: number | undefined;
  readonly hours?: number | undefined;
  readonly maxConnections?: number | undefined;
  readonly csv?: string | undefined;
  readonly report?: string | undefined;
}

export function addSimVerb(program: Command): void {
  program
    .command('sim')
    .summary('simulate a network, replayable from a seed')
    .description(
      'Runs the same code on a virtual clock and network and does to it what a scenario says. Ends with 1 when an assert does not hold.',
    )
    .option(
      '-n, --nodes <counts>',
      'instead of what the scenario says; several (100,1000) run one after the other',
      counts,
    )
    .option('--seed <seed>', 'what everything follows from (default: a random one, printed first)')
    .option('--scenario <name>', 'one that comes with Nautilus, or the path of a file', 'steady')
    .option('--speed <factor>', 'everything in the scenario happens so many times faster', positiveNumber)
    .option('--hours <hours>', 'how long load, churn and flapping go on', positiveNumber)
    .option(
      '--max-connections <count>',
      'open connections of a node (default: 300, as in its configuration); fewer take less memory',
      (text) => wholeNumber(text, 1, 1_000_000),
    )
    .option('--csv <file>', 'write a row a minute there')
    .option('--report <file>', 'write a page with plots there (HTML)')
    .action((flags: SimFlags, command: Command) => runSim(command, flags));
}

function runSim(command: Command, flags: SimFlags): Promise<void> {
  return runVerb(command, async ({ output }) => {
    const { onInterrupt } = await import('./on-interrupt.ts');
    const { ScenarioNarrator } = await import('./scenario-narrator.ts');
    const interrupt = onInterrupt();
    try {
      await import('../platform/node20.ts');
      const scenarios = await import('../../testnet/scenarios/index.ts');
      const simulator = await import('../../testnet/simulator/index.ts');
      const { name, commands: written } = scenarios.loadScenario(flags.scenario);
      const forMs = flags.hours === undefined ? undefined : flags.hours * 3_600_000;
      const sizes = (flags.nodes ?? [undefined]).map((nodes) => {
        const commands = scenarios.resizeScenario(written, { nodes, speed: flags.speed, forMs });
        simulator.assertFits({
          nodes: scenarios.nodesNeeded(commands),
          isRecordless: scenarios.isRecordless(commands),
          maxConnections: flags.maxConnections,
        });
        return commands;
      });
      const seed = await announceSeed(output, flags.seed);
      const reports: Awaited<ReturnType<typeof simulator.simulate>>[] = [];
      for (const commands of sizes) {
        const narrator = new ScenarioNarrator(output, {
          unit: 'simulated second',
          totalMs: scenarios.plannedMs(commands),
          nodes: scenarios.nodesNeeded(commands),
        });
        try {
          const report = await simulator.simulate(
            {
              seed,
              commands,
              maxConnections: flags.maxConnections,
              signal: interrupt.signal,
              onJoined: () => narrator.onJoined(),
            },
            narrator,
          );
          reports.push(report);
          await narrator.end();
          for (const rows of simulator.reportTables(report)) await output.line(`\n${simulator.formatTable(rows)}`);
          await output.line(`\n${report.fingerprint}`);
          await output.object({ type: 'report', scenario: name, ...simulator.reportObject(report) });
        } finally {
          await narrator.end();
        }
      }
      if (reports.length > 1) {
        await output.line(`\n${simulator.formatTable(simulator.growthRows(reports))}`);
        await output.object({ type: 'growth', sizes: simulator.growthFigures(reports) });
      }
      if (flags.csv !== undefined) write(flags.csv, simulator.reportCsv(reports));
      if (flags.report !== undefined) write(flags.report, simulator.reportHtml(name, reports));
      tellFailures(
        output,
        reports.flatMap((report) => report.failures),
      );
    } finally {
      interrupt.dispose();
    }
  });
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NautilusError('USAGE', `the file cannot be written: ${reason}`, { cause });
  }
}

function counts(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const size = /^\d{1,7}$/.test(part) ? Number(part) : 0;
    if (size >= 1) return size;
    throw new InvalidArgumentError('Use numbers of nodes from 1, separated by commas.');
  });
}
