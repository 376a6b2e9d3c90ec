/** The command line as commander sees it: every verb, its flags, and how mistakes are answered. */
import { Command, CommanderError } from 'commander';
import type { ErrorObject } from '../commands/index.ts';
import { addNetworkVerbs } from './network-verbs.ts';
import { addNodeVerbs } from './node-verbs.ts';
import { addRecordVerbs } from './record-verbs.ts';
import { addSimVerb } from './sim-verb.ts';
import { addStorageVerbs } from './storage-verbs.ts';
import { addTestnetVerbs } from './testnet-verbs.ts';

export function createProgram(version: string): Command {
  const program = new Command('nautilus')
    .description('A registry that needs no server.')
    .usage('COMMAND [options]')
    .version(version, '--version', 'print the version')
    .option(
      '--data-dir <path>',
      'the node to talk to, by its data directory (default: $NAUTILUS_HOME or ~/.nautilus/default)',
    )
    .option('--json', 'one JSON object a line on stdout, nothing else')
    .configureHelp({ showGlobalOptions: true })
    // Thrown below as one line of our own; commander would print two or three.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  addRecordVerbs(program);
  addNetworkVerbs(program);
  addNodeVerbs(program);
  addStorageVerbs(program);
  addTestnetVerbs(program);
  addSimVerb(program);
  return program;
}

/** Parses and runs. Sets process.exitCode; never rejects. */
export async function runProgram(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const isHelp = error instanceof CommanderError && error.exitCode === 0;
    if (isHelp) return;
    const { Output } = await import('./output.ts');
    const { fromErrorObject } = await import('../commands/index.ts');
    const output = new Output({ json: args.includes('--json') });
    output.fail(error instanceof CommanderError ? fromErrorObject(toUsageError(error, args)) : error);
    process.exitCode = output.exitCode;
  }
}

/** `error: unknown option '--tll'\n(Did you mean --ttl?)` becomes one line with the next step. */
function toUsageError({ code, message }: CommanderError, args: readonly string[]): ErrorObject {
  const verb = args.find((arg) => !arg.startsWith('-'));
  const help = `see "nautilus ${code === 'commander.unknownCommand' || verb === undefined ? '' : `${verb} `}--help"`;
  // A group of verbs without one of them: commander has printed its help.
  if (code === 'commander.help') return { code: 'USAGE', message: `a command is missing: ${help}` };
  const text = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  return { code: 'USAGE', message: `${text}: ${help}` };
}
