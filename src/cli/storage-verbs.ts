/** storage status, drain and migrate as commander sees them. What they do is loaded when one of them is run (storage-actions.ts). */
import type { Command } from 'commander';
import { repeatable } from './join-options.ts';
import { runVerb } from './run-verb.ts';

const load = () => import('./storage-actions.ts');
const TIMEOUT = ['--timeout <duration>', 'give up after this long, with exit code 124'] as const;

export function addStorageVerbs(program: Command): void {
  const storage = program
    .command('storage')
    .summary('where this node keeps its records')
    .description('Shows the storages of the node that runs here, and changes them while it serves.');
  storage
    .command('status')
    .summary('each storage: up or down, what it holds, what waits for it')
    .option(...TIMEOUT)
    .action((_flags: object, command: Command) =>
      runVerb(command, async (context) => (await load()).storageStatus(context)),
    );
  storage
    .command('drain')
    .summary('move everything off one of several storages, before it is taken away')
    .argument('<name>', 'its name, as "nautilus storage status" shows it')
    .option(...TIMEOUT)
    .action((name: string, _flags: object, command: Command) =>
      runVerb(command, async (context) => (await load()).drainStorage(context, name)),
    );
  storage
    .command('migrate')
    .summary('move all records to another storage, or several, while serving')
    .description(
      'Copies everything, verifies it, and serves from there. Until then nothing changes: when anything fails, the records stay where they are. Ctrl-C ends the display, not the migration: the same command again shows how far it is.',
    )
    .addOption(
      repeatable('--to <url>', 'the new storage, as --storage takes it; several form a ring').makeOptionMandatory(),
    )
    .option(...TIMEOUT)
    .action(({ to }: { readonly to: readonly string[] }, command: Command) =>
      runVerb(command, async (context) => (await load()).migrateStorage(context, to)),
    );
}
