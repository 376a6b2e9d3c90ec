/** `testnet status`: every node of the testnet, alive or not, from any shell. */
import { probeAll } from './node-probe.ts';
import { TestnetDirectory } from './testnet-directory.ts';
import type { TestnetIo, TestnetPlace } from './testnet-options.ts';
import { writeReport } from './write-report.ts';

/** @throws NautilusError `NODE_UNREACHABLE` when no testnet is up there */
export async function testnetStatus({ dir, signal }: TestnetPlace, io: TestnetIo): Promise<void> {
  const directory = new TestnetDirectory(dir);
  directory.describe();
  writeReport(await probeAll(directory, signal), io);
}
