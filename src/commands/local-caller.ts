/** Commands on a node in this process, through the same checks as from outside. */
import { assert } from '../core/index.ts';
import type { CommandCaller } from './command-caller.ts';
import type { CommandInput, CommandName, CommandOutput } from './command-types.ts';
import type { CallOptions, NodeApi } from './node-api.ts';
import { runCommand } from './run-command.ts';

export function createLocalCaller(api: NodeApi): CommandCaller {
  const stream = <N extends CommandName>(name: N, input: CommandInput<N>, options: CallOptions = {}) =>
    // The catalogue is checked against CommandShapes where it is written.
    runCommand(api, name, input, options) as AsyncGenerator<CommandOutput<N>>;
  return {
    stream,
    async call(name, input, options) {
      const { value, done } = await stream(name, input, options).next();
      assert(!done, `command ${name} answered with nothing`);
      return value;
    },
  };
}
