/** testnet up, status, kill, restart, down and run: a whole network on this machine. Loaded only when one of them is run. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { repeatable } from './join-options.ts';
import type { Output } from './output.ts';
import { runVerb } from './run-verb.ts';
import { addTestnetRunVerb } from './testnet-run-verb.ts';
import { wholeNumber } from './whole-number.ts';

interface UpFlags {
  readonly nodes: number;
  readonly inProcess?: boolean | undefined;
  readonly basePort?: number | undefined;
  readonly storage?: readonly string[] | undefined;
  readonly dir?: string | undefined;
  readonly detach?: boolean | undefined;
}

interface PlaceFlags {
  readonly dir?: string | undefined;
}

export function addTestnetVerbs(program: Command): void {
  const testnet = program
    .command('testnet')
    .summary('run a whole network on this machine')
    .description('Runs one bootstrap service and N storing nodes on this machine, to try things and to break them.');
  addDir(testnet.command('up'))
    .summary('start a testnet and stay until Ctrl-C')
    .option('-n, --nodes <count>', 'storing nodes', (text) => wholeNumber(text, 1, 1_000), 8)
    .option('--in-process', 'all nodes in this process instead of one each')
    .option('--base-port <port>', 'node i listens on PORT + i; 0: any free ports', (text) =>
      wholeNumber(text, 0, 65_535),
    )
    .addOption(repeatable('--storage <url>', 'where the nodes keep records'))
    .option('--detach', 'return when the network has converged and leave it running')
    .action((flags: UpFlags, command: Command) =>
      runTestnetVerb(command, async (launcher, io, signal) => {
        const { nodes, inProcess, basePort, storage, detach } = flags;
        await launcher.testnetUp({ ...placeOf(flags), nodes, inProcess, basePort, storage, detach, signal }, io);
      }),
    );
  addDir(testnet.command('status'))
    .summary('its nodes and whether they run')
    .action((flags: PlaceFlags, command: Command) =>
      runTestnetVerb(command, async (launcher, io, signal) => {
        await launcher.testnetStatus({ ...placeOf(flags), signal }, io);
      }),
    );
  addDir(testnet.command('kill'))
    .summary('end one node without warning (SIGKILL)')
    .argument('<n>', 'its number; 0 is the bootstrap service', nodeNumber)
    .action((n: number, flags: PlaceFlags, command: Command) =>
      runTestnetVerb(command, async (launcher, io, signal) => {
        await launcher.testnetKill({ ...placeOf(flags), n, signal }, io);
      }),
    );
  addDir(testnet.command('restart'))
    .summary('start one node again on its data')
    .argument('<n>', 'its number; 0 is the bootstrap service', nodeNumber)
    .action((n: number, flags: PlaceFlags, command: Command) =>
      runTestnetVerb(command, async (launcher, io, signal) => {
        await launcher.testnetRestart({ ...placeOf(flags), n, signal }, io);
      }),
    );
  addDir(testnet.command('down'))
    .summary('end all its nodes and remove its data')
    .action((flags: PlaceFlags, command: Command) =>
      runTestnetVerb(command, async (launcher, io, signal) => {
        await launcher.testnetDown({ ...placeOf(flags), signal }, io);
      }),
    );
  addTestnetRunVerb(testnet);
}

type Launcher = typeof import('../../testnet/launcher/index.ts');
type Io = Parameters<Launcher['testnetUp']>[1];

function runTestnetVerb(
  command: Command,
  verb: (launcher: Launcher, io: Io, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  return runVerb(command, async ({ output }) => {
    const { onInterrupt } = await import('./on-interrupt.ts');
    const interrupt = onInterrupt();
    try {
      await import('../platform/node20.ts');
      await verb(await import('../../testnet/launcher/index.ts'), ioOf(output), interrupt.signal);
    } finally {
      interrupt.dispose();
    }
  });
}

function ioOf({ json }: Output): Io {
  return { stdout: process.stdout, stderr: process.stderr, json };
}

function placeOf({ dir }: PlaceFlags): { readonly dir: string | undefined } {
  return { dir: dir === undefined ? undefined : resolve(dir) };
}

function addDir(command: Command): Command {
  return command.option('--dir <path>', 'where everything of the testnet is kept (default: ~/.nautilus/testnet)');
}

function nodeNumber(text: string): number {
  return wholeNumber(text, 0, 1_000);
}
