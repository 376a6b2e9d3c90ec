/** An operation, written once for every door: its name, what it takes, what it does. Not here: how its input and output travel. */
import type { z } from 'zod';
import type { CommandInput, CommandName, CommandOutput } from './command-types.ts';
import type { CallOptions, NodeApi } from './node-api.ts';
import { parseInput } from './parse-input.ts';

export interface Command<N extends CommandName = CommandName> {
  readonly name: N;
  /** One line for people. */
  readonly summary: string;
  readonly input: z.ZodType;
  /**
   * Checks `input` (which came from outside), then works. Every object may be passed to JSON.stringify.
   * @throws NautilusError, on the first step of the iteration at the earliest
   */
  run(api: NodeApi, input: unknown, context: CallOptions): AsyncIterableIterator<CommandOutput<N>>;
}

export interface CommandDefinition<N extends CommandName, Schema extends z.ZodType> {
  readonly name: N;
  readonly summary: string;
  readonly input: Schema;
  handler(
    api: NodeApi,
    input: z.output<Schema>,
    context: CallOptions,
  ): Promise<CommandOutput<N>> | AsyncIterable<CommandOutput<N>>;
}

/** The schema must accept no less than what callers are promised: its input type is checked against `CommandInput`. */
export function defineCommand<N extends CommandName, Schema extends z.ZodType<unknown, CommandInput<N>>>(
  definition: CommandDefinition<N, Schema>,
): Command<N> {
  const { name, summary, input: schema, handler } = definition;
  async function* run(api: NodeApi, input: unknown, context: CallOptions) {
    context.signal?.throwIfAborted();
    const outcome = handler(api, parseInput(schema, input), context);
    if (outcome instanceof Promise) yield await outcome;
    else yield* outcome;
  }
  return { name, summary, input: schema, run };
}
