/** The process of one node that runs a scenario, from its start to its end, as its launcher holds it. Not here: what it is asked, and why it ends. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromErrorObject } from '../../src/commands/index.ts';
import { NautilusError } from '../../src/core/index.ts';
import type { PurposeTraffic } from '../scenarios/index.ts';
import type { LauncherMessage, NodeMessage, NodeOrder } from './scenario-messages.ts';

/** How long a node may take to leave before it is killed: longer than its own stop may take at worst. */
const STOP_TIMEOUT_MS = 15_000;

/** The compiled program, wherever this file runs from. */
const PROGRAM = fileURLToPath(
  import.meta.url.endsWith('.ts')
    ? new URL('../../dist/testnet/launcher/scenario-node.js', import.meta.url)
    : new URL('./scenario-node.js', import.meta.url),
);

// BOUNDED: by the nodes of the scenarios that this process runs.
const running = new Set<ChildProcess>();

/** Whatever ends this process ends them. */
function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export class ScenarioProcess {
  /** Its addresses, once its doors are open. Rejects when it ends before. */
  readonly ready: Promise<readonly string[]>;
  /** Once it knows the network. Rejects when it ends before. */
  readonly joined: Promise<void>;
  /** How it ended, for people. */
  readonly ended: Promise<string>;
  #traffic: readonly PurposeTraffic[] = [];
  readonly #child: ChildProcess;

  /** @param logFile what the process itself prints goes there, after what is there already */
  constructor(order: NodeOrder, logFile: string) {
    const log = openSync(logFile, 'a', 0o600);
    try {
      // The directory is for people who look at the list of processes. Detached: Ctrl-C is for whoever runs the scenario.
      this.#child = fork(PROGRAM, [order.dataDir], {
        detached: true,
        stdio: ['ignore', log, log, 'ipc'],
        execArgv: [],
      });
    } finally {
      closeSync(log);
    }
    const child = this.#child;
    if (running.size === 0) process.on('exit', endAll);
    running.add(child);
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(child);
        if (running.size === 0) process.off('exit', endAll);
        resolve(signal ?? `exit code ${code}`);
      });
    });
    const { promise: ready, ...isReady } = deferred<readonly string[]>();
    const { promise: joined, ...isJoined } = deferred<void>();
    this.ready = ready;
    this.joined = joined;
    const fail = (error: NautilusError) => {
      isReady.reject(error);
      isJoined.reject(error);
    };
    child.on('message', (message: NodeMessage) => {
      if (message.type === 'ready') isReady.resolve(message.addresses);
      else if (message.type === 'joined') isJoined.resolve();
      else if (message.type === 'traffic') this.#traffic = message.traffic;
      else fail(startFailure(order, message.error));
    });
    child.once('error', (cause) => {
      fail(new NautilusError('INTERNAL', `node ${order.number} did not start: ${cause.message}`, { cause }));
    });
    void this.ended.then((how) => {
      fail(new NautilusError('INTERNAL', `node ${order.number} did not start (${how}): see ${logFile}`));
    });
    this.tell(order);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it has sent, as of its last report. */
  get traffic(): readonly PurposeTraffic[] {
    return this.#traffic;
  }

  tell(message: LauncherMessage): void {
    // A process that has just died is no failure: whoever waits for it hears of its end.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, and SIGKILL for what does not leave in time. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(late);
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

function startFailure({ number }: NodeOrder, object: Parameters<typeof fromErrorObject>[0]): NautilusError {
  const { code, message } = fromErrorObject(object);
  return new NautilusError(code, `node ${number} did not start: ${message}`);
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  promise.catch(() => undefined); // whoever waits hears of it; maybe nobody does
  return { promise, resolve, reject };
}
