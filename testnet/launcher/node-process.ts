/**
 * One node of a testnet as a process of its own: starts `nautilus start` on the node's data directory, reads from its log that it is ready
 * or why it is not, and ends it. Works on processes that another shell started just as well: all it needs is the directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
// Not the Clock port: its timers never keep a process alive, and this process waits for others.
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ErrorObject, fromErrorObject } from '../../src/commands/index.ts';
import { assert, NautilusError } from '../../src/core/index.ts';
import { processToken } from './process-token.ts';
import { isAlive, type KnownProcess, type NodeEntry, type TestnetDirectory } from './testnet-directory.ts';

export interface NodeProcessInit {
  readonly directory: TestnetDirectory;
  readonly n: number;
  readonly network: string;
  /** Multiaddr without the peer id. */
  readonly listen: string;
  readonly storage: readonly string[];
  /** Addresses of the bootstrap service; empty for the service itself. */
  readonly bootstrap: readonly string[];
}

interface ReadyEvent {
  readonly event: 'ready';
  readonly peerId: string;
  readonly addresses: readonly string[];
}

/** A start costs about a second of CPU; this is for machines that are busy with something else. */
const START_TIMEOUT_MS = 60_000;
/** How long a node may take to leave before it is killed: longer than its own stop may take at worst. */
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 25;

/** The compiled bin, wherever this file runs from. */
const BIN = fileURLToPath(
  import.meta.url.endsWith('.ts')
    ? new URL('../../dist/src/cli/main.js', import.meta.url)
    : new URL('../../src/cli/main.js', import.meta.url),
);

/**
 * Starts the node and waits until it is ready. It is written down at once, and lives on when this process ends.
 * @throws NautilusError with the code of the node's own complaint when it has one, else `TIMEOUT` or `INTERNAL`
 */
export async function startNodeProcess(init: NodeProcessInit, signal?: AbortSignal): Promise<NodeEntry> {
  const { directory, n } = init;
  signal?.throwIfAborted();
  const child = spawnNode(init);
  const entry = { n, process: identify(child), peerId: '', addresses: [] };
  directory.record(entry);
  const { peerId, addresses } = await untilReady(child, init, signal);
  const ready = { ...entry, peerId, addresses };
  directory.record(ready);
  return ready;
}

function spawnNode({ directory, n, network, listen, storage, bootstrap }: NodeProcessInit): ChildProcess {
  const args = [
    'start',
    '--json',
    ...['--mode', n === 0 ? 'bootstrap' : 'server'],
    ...['--network', network],
    ...['--listen', listen],
    ...['--data-dir', directory.dataDir(n)],
    ...(n === 0 ? [] : storage).flatMap((url) => ['--storage', url]),
    ...bootstrap.flatMap((address) => ['--bootstrap', address]),
  ];
  const log = openSync(directory.logFile(n), 'w', 0o600);
  try {
    // Detached: Ctrl-C on the terminal is for whoever runs the testnet, who then stops its nodes one by one.
    const child = spawn(process.execPath, [BIN, ...args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: nodeEnv(),
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** The operator's settings are for the operator's node: a testnet takes nothing from them. */
function nodeEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NAUTILUS_')));
}

function identify(child: ChildProcess): KnownProcess {
  const { pid } = child;
  assert(pid !== undefined, 'this Node can be started, since it runs this');
  // Undefined when it has ended already; a token that fits nobody then.
  return { pid, token: processToken(pid) ?? 'ended' };
}

async function untilReady(child: ChildProcess, init: NodeProcessInit, signal?: AbortSignal): Promise<ReadyEvent> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    // In this order: what it wrote before it ended is read after it is known to have ended.
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const lines = readFileSync(init.directory.logFile(init.n), 'utf8').split('\n').slice(0, -1);
    const ready = lines.map(parseReady).find((event) => event !== undefined);
    if (hasEnded) throw startFailure(init, lines, child);
    if (ready !== undefined) return ready;
    if (performance.now() > deadline) {
      const message = `node ${init.n} was not ready after ${START_TIMEOUT_MS / 1000} s: see ${init.directory.logFile(init.n)}`;
      throw new NautilusError('TIMEOUT', message);
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

function parseReady(line: string): ReadyEvent | undefined {
  const event = parseObject(line);
  return event?.event === 'ready' ? (event as unknown as ReadyEvent) : undefined;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined; // some other line of a log that begins with a brace
  }
}

function startFailure({ n, directory }: NodeProcessInit, lines: readonly string[], child: ChildProcess): NautilusError {
  const last = lines.findLast((line) => line.trim() !== '')?.trim() ?? '';
  const complaint = parseObject(last)?.error as ErrorObject | undefined;
  if (complaint !== undefined) {
    const { code, message } = fromErrorObject(complaint);
    return new NautilusError(code, `node ${n} did not start: ${message}`);
  }
  const how = child.signalCode === null ? `exit code ${child.exitCode}` : child.signalCode;
  return new NautilusError(
    'INTERNAL',
    `node ${n} did not start (${how}): ${last === '' ? `see ${directory.logFile(n)}` : last}`,
  );
}

/** Sends a signal, to nobody but the process that was started. Whether it was still there. */
export function signalProcess(target: KnownProcess, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false; // ended meanwhile
    throw error;
  }
}

/** SIGTERM, and SIGKILL for what is still there after `STOP_TIMEOUT_MS` or when `urgent` aborts. Resolves when it is gone. */
export async function endProcess(target: KnownProcess, urgent?: AbortSignal): Promise<void> {
  if (!signalProcess(target, 'SIGTERM')) return;
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (isAlive(target)) {
    if (urgent?.aborted || performance.now() > deadline) {
      await killProcess(target);
      return;
    }
    await delay(POLL_MS);
  }
}

/** SIGKILL. Resolves when it is gone. */
export async function killProcess(target: KnownProcess): Promise<void> {
  signalProcess(target, 'SIGKILL');
  while (isAlive(target)) await delay(POLL_MS);
}
