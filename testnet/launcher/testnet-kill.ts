/** `testnet kill N`: SIGKILL, as a power cut would end it. What it acknowledged is in its data directory. */
import { NautilusError } from '../../src/core/index.ts';
import { probeNode } from './node-probe.ts';
import { killProcess } from './node-process.ts';
import { isAlive, TestnetDirectory } from './testnet-directory.ts';
import type { TestnetIo, TestnetNodeOptions } from './testnet-options.ts';
import { writeReport } from './write-report.ts';

/** @throws NautilusError `USAGE` for a number that is no node's, `NODE_UNREACHABLE` when no testnet is up or the node is not running */
export async function testnetKill({ dir, n, signal }: TestnetNodeOptions, io: TestnetIo): Promise<void> {
  const directory = new TestnetDirectory(dir);
  const entry = directory.entry(n);
  if (directory.describe().inProcess) {
    const message = `node ${n} is a part of process ${entry.process.pid}: start the testnet without --in-process to kill single nodes`;
    throw new NautilusError('USAGE', message);
  }
  if (!isAlive(entry.process)) {
    throw new NautilusError(
      'NODE_UNREACHABLE',
      `node ${n} is not running: "nautilus testnet restart ${n}" starts it again`,
    );
  }
  await killProcess(entry.process);
  writeReport([await probeNode(directory, entry, signal)], io);
}
