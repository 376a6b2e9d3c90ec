/** `testnet restart N`: ends the node if it runs, and starts it again with its data directory, its identity and its port. */
import { NautilusError } from '../../src/core/index.ts';
import { listenAddress } from './cluster.ts';
import { probeNode } from './node-probe.ts';
import { endProcess, startNodeProcess } from './node-process.ts';
import { TestnetDirectory } from './testnet-directory.ts';
import type { TestnetIo, TestnetNodeOptions } from './testnet-options.ts';
import { writeReport } from './write-report.ts';

/** @throws NautilusError `USAGE` for a number that is no node's, `NODE_UNREACHABLE` when no testnet is up, and what the node complains of */
export async function testnetRestart({ dir, n, signal }: TestnetNodeOptions, io: TestnetIo): Promise<void> {
  const directory = new TestnetDirectory(dir);
  const { network, storage, inProcess } = directory.describe();
  const entry = directory.entry(n);
  if (inProcess) {
    const message = `node ${n} is a part of process ${entry.process.pid}: start the testnet without --in-process to restart single nodes`;
    throw new NautilusError('USAGE', message);
  }
  await endProcess(entry.process);
  const [address] = entry.addresses;
  const restarted = await startNodeProcess(
    {
      directory,
      n,
      network,
      // Where others look for it. A node that never was ready has no port yet.
      listen: address?.replace(/\/p2p\/[^/]+$/, '') ?? listenAddress(0, n),
      storage,
      bootstrap: n === 0 ? [] : directory.entry(0).addresses,
    },
    signal,
  );
  writeReport([await probeNode(directory, restarted, signal)], io);
}
