/** Options that several verbs share. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** `--flag a --flag b` and `--flag a b`. */
function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return [...(previous ?? []), value];
}

export function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description} (repeatable)`).argParser(collect);
}

/** For verbs that can also join a network by themselves. */
export function addJoinOptions(command: Command): Command {
  return command
    .addOption(
      repeatable('--bootstrap <address>', 'when no node runs here: join through this peer, for this one command'),
    )
    .option('--network <name>', 'the network to join then')
    .option('--timeout <duration>', 'give up after this long, with exit code 124');
}

export const QUORUM_HELP = 'holders that must answer: majority (default), one, all or a number';
