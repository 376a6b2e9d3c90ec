/** `testnet down`: ends every process of the testnet, whoever started it, and removes its files. */
import { setTimeout as delay } from 'node:timers/promises';
import { endProcess, signalProcess } from './node-process.ts';
import { endProcesses } from './process-cluster.ts';
import { isAlive, type KnownProcess, TestnetDirectory } from './testnet-directory.ts';
import type { TestnetIo, TestnetPlace } from './testnet-options.ts';

/** How long `up` may take to end its nodes by itself: longer than it takes to kill a node that does not leave. */
const SUPERVISOR_TIMEOUT_MS = 40_000;
const POLL_MS = 50;

/** @throws NautilusError `NODE_UNREACHABLE` when no testnet is up there */
export async function testnetDown({ dir }: TestnetPlace, io: TestnetIo): Promise<void> {
  const directory = new TestnetDirectory(dir);
  const { nodes, supervisor } = directory.describe();
  // It ends its nodes itself; what follows is for the detached, and for a supervisor that was killed or does not get there.
  if (supervisor !== undefined) await endSupervisor(supervisor);
  await endProcesses(directory);
  if (directory.exists()) directory.remove();
  if (io.json) io.stdout.write(`${JSON.stringify({ ended: nodes + 1 })}\n`);
  else io.stdout.write(`the testnet in ${directory.path} has ended\n`);
}

async function endSupervisor(supervisor: KnownProcess): Promise<void> {
  if (!signalProcess(supervisor, 'SIGTERM')) return;
  const deadline = performance.now() + SUPERVISOR_TIMEOUT_MS;
  while (isAlive(supervisor) && performance.now() < deadline) await delay(POLL_MS);
  await endProcess(supervisor);
}
