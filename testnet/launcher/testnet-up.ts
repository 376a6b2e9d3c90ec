/**
 * `testnet up`: a bootstrap service and N storing nodes on loopback, a table once they know each other, and their end on Ctrl-C. However it
 * ends (a node that does not start, an interruption half-way, two of them), no process is left unless it was asked to detach. Its files go
 * with it, except after a failure, which the logs may explain.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert, NautilusError } from '../../src/core/index.ts';
import type { Cluster, ClusterInit } from './cluster.ts';
import { converge } from './converge.ts';
import { Interruption } from './interruption.ts';
import { probeAll } from './node-probe.ts';
import { signalProcess } from './node-process.ts';
import { createProcessCluster } from './process-cluster.ts';
import { processToken } from './process-token.ts';
import { ProgressBar } from './progress-bar.ts';
import { type KnownProcess, TestnetDirectory } from './testnet-directory.ts';
import { testnetNetwork } from './testnet-network.ts';
import type { TestnetIo, TestnetUpOptions } from './testnet-options.ts';
import { writeReport } from './write-report.ts';

const MAX_NODES = 1_000;
const MAX_PORT = 65_535;
const LONG_MS = 2 ** 31 - 1;

/**
 * Resolves when the testnet was ended, or with `detach` when it has converged.
 * @throws NautilusError `USAGE`, `DATA_DIR_IN_USE`, `DATA_DIR_UNUSABLE`, `TIMEOUT`, `ABORTED` when interrupted before it was up, and what a
 * node that does not start complains of
 */
export async function testnetUp(options: TestnetUpOptions, io: TestnetIo): Promise<void> {
  const { nodes, basePort } = checkOptions(options);
  const { detach = false, inProcess = false, storage = [] } = options;
  const directory = new TestnetDirectory(options.dir);
  const description = { network: testnetNetwork(directory.path), nodes, inProcess, storage };
  directory.claim({ ...description, supervisor: thisProcess() });
  const interruption = new Interruption(options.signal);
  // For a caller that calls process.exit(), say on the second Ctrl-C: whatever ends this process ends its nodes.
  const onExit = () => {
    for (const { process: node } of directory.entries()) {
      if (node.pid !== process.pid) signalProcess(node, 'SIGKILL');
    }
  };
  process.once('exit', onExit);
  let isLeftRunning = false;
  try {
    const bar = new ProgressBar(io.stderr, 'starting', nodes + 1);
    const cluster = await createCluster(inProcess, { directory, basePort, onStarted: () => bar.step() });
    try {
      await bringUp(directory, cluster, bar, io, interruption.stop);
      if (detach) {
        directory.update({ ...description, supervisor: undefined });
        isLeftRunning = true;
      }
      if (!io.json) io.stderr.write(nextSteps(directory, detach));
      if (!detach) await untilAborted(interruption.stop);
    } finally {
      bar.end();
      if (!isLeftRunning) {
        await cluster.end(interruption.urgent);
        if (interruption.stop.aborted) directory.remove();
      }
    }
  } finally {
    process.off('exit', onExit);
    interruption.release();
  }
}

async function bringUp(
  directory: TestnetDirectory,
  cluster: Cluster,
  starting: ProgressBar,
  io: TestnetIo,
  signal: AbortSignal,
): Promise<void> {
  try {
    await cluster.start(signal);
    starting.end();
    await untilConverged(directory, io, signal);
    const report = await probeAll(directory, signal);
    signal.throwIfAborted();
    writeReport(report, io);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new NautilusError('ABORTED', 'interrupted before the testnet was up: all of it was ended', { cause });
  }
}

async function untilConverged(directory: TestnetDirectory, io: TestnetIo, signal: AbortSignal): Promise<void> {
  const { nodes } = directory.describe();
  const bar = new ProgressBar(io.stderr, 'converging', nodes);
  try {
    await converge({
      nodes,
      peers: async () => {
        const reports = await probeAll(directory, signal);
        return reports.filter(({ mode }) => mode === 'server').map(({ peers }) => peers ?? -1);
      },
      onProgress: (converged) => bar.update(converged),
      signal,
    });
  } finally {
    bar.end();
  }
}

async function createCluster(inProcess: boolean, init: ClusterInit): Promise<Cluster> {
  if (!inProcess) return createProcessCluster(init);
  // Loads libp2p, which starting processes does not need.
  const { createInProcessCluster } = await import('./in-process-cluster.ts');
  return createInProcessCluster(init);
}

function checkOptions({ nodes = 8, basePort = 0, inProcess, detach }: TestnetUpOptions): {
  nodes: number;
  basePort: number;
} {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
    throw new NautilusError('USAGE', `-n takes a number from 1 to ${MAX_NODES}: how many storing nodes to start`);
  }
  const highest = MAX_PORT - nodes;
  if (!Number.isInteger(basePort) || basePort < 0 || basePort > highest) {
    throw new NautilusError(
      'USAGE',
      `--base-port takes 0 (any free ports) or a port up to ${highest}: node N listens on it + N`,
    );
  }
  if (inProcess && detach) {
    throw new NautilusError('USAGE', '--in-process nodes end with this process: leave out --detach, or --in-process');
  }
  return { nodes, basePort };
}

function thisProcess(): KnownProcess {
  const token = processToken(process.pid);
  assert(token !== undefined, 'this process runs');
  return { pid: process.pid, token };
}

function nextSteps(directory: TestnetDirectory, isDetached: boolean): string {
  const [service, first] = directory.entries();
  const elsewhere = directory.isDefault ? '' : ` --dir ${directory.path}`;
  return [
    '',
    `use it    nautilus put greeting hello --data-dir ${directory.dataDir(first?.n ?? 0)}`,
    `join it   nautilus start --network ${directory.describe().network} --bootstrap ${service?.addresses[0]}`,
    `break it  nautilus testnet kill 1${elsewhere}`,
    isDetached ? `end it    nautilus testnet down${elsewhere}` : 'end it    Ctrl-C',
    '',
  ].join('\n');
}

/** Resolves on abort. Unlike a listener, a pending timer keeps the process alive until then. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(LONG_MS, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
