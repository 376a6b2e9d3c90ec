/** Asks the nodes of a testnet how they are, through their control sockets: works from any process, whoever started them. */
import { connectControl } from '../../src/client/index.ts';
import type { NodeStatus } from '../../src/commands/index.ts';
import { isAlive, type NodeEntry, type TestnetDirectory } from './testnet-directory.ts';
import type { TestnetNodeReport } from './testnet-options.ts';

/** A stopped process (SIGSTOP) still accepts connections: it must not hold up the report. */
const PROBE_TIMEOUT_MS = 3_000;

export async function probeNode(
  directory: TestnetDirectory,
  entry: NodeEntry,
  signal?: AbortSignal,
): Promise<TestnetNodeReport> {
  const { n, peerId, addresses } = entry;
  const status = isAlive(entry.process) ? await askStatus(directory.dataDir(n), signal) : undefined;
  const silentOrStopped = isAlive(entry.process) ? ('silent' as const) : ('stopped' as const);
  return {
    n,
    pid: entry.process.pid,
    peerId,
    dataDir: directory.dataDir(n),
    addresses,
    mode: n === 0 ? 'bootstrap' : 'server',
    state: status === undefined ? silentOrStopped : 'running',
    peers: status?.peers ?? null,
  };
}

export function probeAll(directory: TestnetDirectory, signal?: AbortSignal): Promise<TestnetNodeReport[]> {
  return Promise.all(directory.entries().map((entry) => probeNode(directory, entry, signal)));
}

async function askStatus(dataDir: string, signal: AbortSignal | undefined): Promise<NodeStatus | undefined> {
  const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    const client = await connectControl({ dataDir, signal: either });
    try {
      return await client.call('status', {}, { signal: either });
    } finally {
      client.close();
    }
  } catch {
    signal?.throwIfAborted();
    return undefined; // no answer is the answer: the caller reports it as the node's state
  }
}
