import { NautilusError } from '../core/index.ts';
import type { CallOptions, NodeApi } from './node-api.ts';

/**
 * Runs a command by name with input from outside. The commands and their schemas are loaded by the first call: a process that only asks a
 * running node never pays for them.
 * @throws NautilusError `UNSUPPORTED` for an unknown name, otherwise the command's own
 */
export async function* runCommand(
  api: NodeApi,
  name: string,
  input: unknown,
  context: CallOptions = {},
): AsyncGenerator<object> {
  const { COMMANDS } = await import('./catalogue.ts');
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new NautilusError(
      'UNSUPPORTED',
      `this node has no command "${name.slice(0, 40)}": is it of an older version?`,
    );
  }
  yield* COMMANDS[name as keyof typeof COMMANDS].run(api, input, context);
}
