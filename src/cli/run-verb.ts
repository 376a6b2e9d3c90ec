import type { Command } from 'commander';
import type { VerbContext } from './verb-context.ts';

/** Runs a verb in its context. Both are loaded only now: help and mistakes need neither. */
export async function runVerb(command: Command, verb: (context: VerbContext) => Promise<void>): Promise<void> {
  const { runInContext } = await import('./verb-context.ts');
  await runInContext(command, verb);
}
