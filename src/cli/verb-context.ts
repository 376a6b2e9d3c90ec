/** What every verb is given: where it speaks, which node it is about, and when to give up. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseDuration } from '../commands/index.ts';
import { NautilusError } from '../core/index.ts';
import { Output } from './output.ts';

/** Flags that go before or after any verb. */
export interface GlobalFlags {
  readonly dataDir?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Flags of the verbs that work on the network. */
export interface JoinFlags {
  readonly bootstrap?: readonly string[] | undefined;
  readonly network?: string | undefined;
  readonly timeout?: string | undefined;
}

export interface VerbContext {
  readonly output: Output;
  /** Absolute. */
  readonly dataDir: string;
  /** Aborts after `--timeout`, if there is one. */
  readonly signal: AbortSignal | undefined;
  readonly join: JoinFlags;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a verb and turns whatever it throws into one line and an exit code. `command` is the one commander parsed. */
export async function runInContext(command: Command, verb: (context: VerbContext) => Promise<void>): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags & JoinFlags>();
  const output = new Output({ json: flags.json === true });
  try {
    const dataDir = resolveDataDir(flags.dataDir, process.env);
    await verb({ output, dataDir, signal: timeoutSignal(flags.timeout), join: flags, env: process.env });
  } catch (error) {
    output.fail(error);
  }
  process.exitCode = output.exitCode;
}

/**
 * The same rule as the platform's, which a verb to a running node does not load.
 * @throws NautilusError `USAGE` for an empty path
 */
function resolveDataDir(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  if (flag === '') throw new NautilusError('USAGE', '--data-dir is empty: name a directory');
  return resolve(flag ?? (env.NAUTILUS_HOME || join(homedir(), '.nautilus', 'default')));
}

function timeoutSignal(text: string | undefined): AbortSignal | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds === 0 || milliseconds > 2_147_483_647) {
    throw new NautilusError('USAGE', `--timeout ${text} is not a duration that works: use 500ms, 10s or 2m`);
  }
  const abort = new AbortController();
  const reason = new NautilusError(
    'TIMEOUT',
    `no answer within ${text}: give it longer with --timeout, or look at "nautilus peers"`,
  );
  setTimeout(() => abort.abort(reason), milliseconds).unref();
  return abort.signal;
}
