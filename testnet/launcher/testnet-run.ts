/**
 * `testnet run`: a scenario on real processes, from their start to the report. They end with it, whatever happens; their files go with them,
 * except after a failure, which the logs may explain.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isNautilusError } from '../../src/core/index.ts';
import {
  plannedMs,
  runScenario,
  type ScenarioCommand,
  type ScenarioOutput,
  type ScenarioReport,
} from '../scenarios/index.ts';
import { ProcessTarget } from './process-target.ts';

export interface TestnetRunOptions {
  readonly commands: readonly ScenarioCommand[];
  /** Who is chosen and when follows from it; what the machine does with time does not. */
  readonly seed: string;
  readonly signal?: AbortSignal | undefined;
  /** Told where the nodes keep their files, before the first one starts. */
  readonly onDirectory?: ((path: string) => void) | undefined;
  /** Called for every node that has started and joined, the first time and again. */
  readonly onJoined?: (() => void) | undefined;
}

export interface TestnetRunReport extends ScenarioReport {
  readonly seed: string;
  /** Where the nodes' files are, if they were kept. */
  readonly directory: string | undefined;
}

const PROGRESS_MS = 1_000;

/** @throws NautilusError `USAGE` for a command that cannot be done, with its line; what a node that does not start complains of; the signal's reason */
export async function testnetRun(options: TestnetRunOptions, output: ScenarioOutput): Promise<TestnetRunReport> {
  const { commands, seed, signal, onDirectory, onJoined } = options;
  signal?.throwIfAborted();
  const directory = await mkdtemp(join(tmpdir(), 'nautilus-run-'));
  onDirectory?.(directory);
  // Its name is its own: two runs never meet.
  const target = new ProcessTarget({ directory, network: networkName(directory), seed, onJoined });
  const endAll = () => void target.close();
  signal?.addEventListener('abort', endAll, { once: true });
  const progress = new Progress(commands, output);
  // It also keeps this process from ending when every node is down.
  const ticking = setInterval(() => progress.tell(), PROGRESS_MS);
  let keep = true;
  try {
    const signals = [target.failed, ...(signal === undefined ? [] : [signal])];
    const report = await runScenario(commands, target, progress, { signal: AbortSignal.any(signals) });
    keep = report.failures.length > 0 || report.lost.length > 0;
    return { ...report, seed, directory: keep ? directory : undefined };
  } catch (error) {
    target.failed.throwIfAborted();
    keep = signal?.aborted !== true && !isNautilusError(error, 'USAGE');
    signal?.throwIfAborted(); // what fails when everything is ended at once is no news
    throw error;
  } finally {
    clearInterval(ticking);
    signal?.removeEventListener('abort', endAll);
    await target.close();
    if (!keep) await rm(directory, { recursive: true, force: true });
  }
}

/** How far the scenario is, once a second: from when the first command begins that takes a time it says itself. */
class Progress implements ScenarioOutput {
  readonly #commands: readonly ScenarioCommand[];
  readonly #output: ScenarioOutput;
  #begunAt: number | undefined;

  constructor(commands: readonly ScenarioCommand[], output: ScenarioOutput) {
    this.#commands = commands;
    this.#output = output;
  }

  onResult(command: ScenarioCommand, atMs: number, result: string): void {
    this.#output.onResult(command, atMs, result);
    const withNext = this.#commands.slice(0, this.#commands.indexOf(command) + 2);
    if (this.#begunAt === undefined && plannedMs(withNext) > 0) this.#begunAt = performance.now();
  }

  tell(): void {
    if (this.#begunAt !== undefined) this.#output.onProgress?.(performance.now() - this.#begunAt);
  }
}

function networkName(directory: string): string {
  return basename(directory).toLowerCase();
}
