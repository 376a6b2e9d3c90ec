/** Waits until every storing node knows enough of the others. */
import { setTimeout as delay } from 'node:timers/promises';
import { NautilusError } from '../../src/core/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../src/records/index.ts';

export interface ConvergeInit {
  /** Storing nodes. */
  readonly nodes: number;
  /** Contacts in the table of each storing node, in any order; -1 for one that does not answer. */
  readonly peers: () => Promise<readonly number[]>;
  /** How many know enough. */
  readonly onProgress: (converged: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** @default a minute, and a second more for every node */
  readonly timeoutMs?: number | undefined;
}

const POLL_MS = 100;

/** Contacts a storing node needs: all others, or in a large network the K that a table holds of one bucket at least. */
function peersNeeded(nodes: number): number {
  return Math.min(nodes - 1, DEFAULT_NETWORK_CONSTANTS.k);
}

/** @throws NautilusError `TIMEOUT` */
export async function converge(init: ConvergeInit): Promise<void> {
  const { nodes, peers, onProgress, signal, timeoutMs = 60_000 + 1_000 * nodes } = init;
  const needed = peersNeeded(nodes);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const known = await peers();
    const converged = known.filter((count) => count >= needed).length;
    onProgress(converged);
    if (converged === nodes) return;
    if (performance.now() > deadline) {
      const message = `after ${timeoutMs / 1000} s only ${converged} of ${nodes} nodes know ${needed} others: see the logs, or start fewer nodes`;
      throw new NautilusError('TIMEOUT', message);
    }
    await delay(POLL_MS, undefined, { signal });
  }
}
