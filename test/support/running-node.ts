/** A node as a process under test: `nautilus start --json`, ready when this resolves, gone when the test file is. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll } from 'vitest';
import { type CliOptions, type CliResult, nautilus, spawnNautilus } from './cli.ts';
import { until } from './until.ts';

export interface ReadyEvent {
  readonly event: 'ready';
  readonly peerId: string;
  readonly nodeId: string;
  readonly addresses: readonly string[];
  readonly dataDir: string;
  readonly mode: string;
  readonly network: string;
}

export interface RunningNodeOptions extends CliOptions {
  readonly dataDir: string;
  /** After `start --json --data-dir … --listen /ip4/127.0.0.1/tcp/0`. */
  readonly args?: readonly string[] | undefined;
  /** @default /ip4/127.0.0.1/tcp/0 */
  readonly listen?: string | undefined;
}

export class RunningNode {
  readonly ready: ReadyEvent;
  readonly #child: ChildProcess;
  readonly #stderr: () => string;
  readonly #env: NodeJS.ProcessEnv | undefined;

  constructor(child: ChildProcess, ready: ReadyEvent, stderr: () => string, env: NodeJS.ProcessEnv | undefined) {
    this.#child = child;
    this.ready = ready;
    this.#stderr = stderr;
    this.#env = env;
  }

  /** What it said to people so far. */
  get stderr(): string {
    return this.#stderr();
  }

  get address(): string {
    const [address] = this.ready.addresses;
    if (address === undefined) throw new Error('it listens nowhere');
    return address;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** A verb to this node, by its data directory. */
  verb(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return nautilus([...args, '--data-dir', this.ready.dataDir], { env: this.#env, ...options });
  }

  /** Sends the signal and waits for the end. The exit code, or null after a signal that it did not handle. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (hasEnded(this.#child)) return this.#child.exitCode;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
    return this.#child.exitCode;
  }

  kill(): Promise<number | null> {
    return this.end('SIGKILL');
  }

  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }
}

export type StartNode = (options: RunningNodeOptions) => Promise<RunningNode>;

/**
 * Starts nodes that are gone when the file's tests are over. Call it after `temporaryDirectory`: what is set up last is cleaned up first.
 * What it gives throws when a node ends before it is ready, with what that node said.
 */
export function nodeStarter(): StartNode {
  const started = new Set<ChildProcess>();
  // For a run that is interrupted: afterAll does not happen then.
  const killAll = () => {
    for (const child of started) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  afterAll(async () => {
    await Promise.all([...started].map(endChild));
    process.off('exit', killAll);
  });
  return async (options) => {
    const child = spawnStart(options);
    started.add(child);
    child.once('exit', () => started.delete(child));
    return untilReady(child, options);
  };
}

function spawnStart(options: RunningNodeOptions): ChildProcess {
  const { dataDir, args = [], listen = '/ip4/127.0.0.1/tcp/0' } = options;
  const child = spawnNautilus(['start', '--json', '--data-dir', dataDir, '--listen', listen, ...args], options);
  child.stdin?.end();
  return child;
}

async function untilReady(child: ChildProcess, { dataDir, env }: RunningNodeOptions): Promise<RunningNode> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ready = await until(`the node in ${dataDir} is ready`, () => {
    const line = stdout
      .split('\n')
      .slice(0, -1)
      .find((text) => text.includes('"event":"ready"'));
    if (line !== undefined) return JSON.parse(line) as ReadyEvent;
    if (hasEnded(child)) throw new Error(`it ended with exit code ${child.exitCode}: ${stderr}`);
    return undefined;
  });
  return new RunningNode(child, ready, () => stderr, env);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
