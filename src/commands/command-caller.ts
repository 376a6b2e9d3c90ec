/** Whoever can run commands: a client of the control socket, or a node in this process. The CLI's verbs are written against this. */
import type { CommandInput, CommandName, CommandOutput } from './command-types.ts';
import type { CallOptions } from './node-api.ts';

export interface CommandCaller {
  /** For commands that answer with one object. @throws NautilusError with the command's code */
  call<N extends CommandName>(name: N, input: CommandInput<N>, options?: CallOptions): Promise<CommandOutput<N>>;
  /** Every object as it comes; leaving the loop cancels the command. @throws NautilusError with the command's code */
  stream<N extends CommandName>(
    name: N,
    input: CommandInput<N>,
    options?: CallOptions,
  ): AsyncIterableIterator<CommandOutput<N>>;
}
