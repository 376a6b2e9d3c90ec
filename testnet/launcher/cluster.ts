/** The nodes of one testnet, to start and to end: processes, or nodes in this one. */
import { NautilusError } from '../../src/core/index.ts';
import type { TestnetDirectory } from './testnet-directory.ts';

export interface ClusterInit {
  /** Claimed; its description says what to start. */
  readonly directory: TestnetDirectory;
  readonly basePort: number;
  /** Called once for every node that is ready. */
  readonly onStarted: () => void;
}

export interface Cluster {
  /** @throws NautilusError of the first node that does not start; nothing is being started any more then, but some may run */
  start(signal: AbortSignal): Promise<void>;
  /** Ends all that runs, gracefully and in bounded time, or at once when `urgent` aborts. Safe at any moment after `start` settled. */
  end(urgent: AbortSignal): Promise<void>;
}

export function listenAddress(basePort: number, n: number): string {
  return `/ip4/127.0.0.1/tcp/${basePort === 0 ? 0 : basePort + n}`;
}

/**
 * Starts node 0, then the others, `limit` at a time, with the addresses of node 0. After a failure nothing new is begun; it is thrown once
 * what was under way has settled.
 */
export async function startInOrder(
  nodes: number,
  limit: number,
  start: (n: number, bootstrap: readonly string[]) => Promise<readonly string[]>,
): Promise<void> {
  const bootstrap = await start(0, []);
  let next = 1;
  const outcomes = await Promise.allSettled(
    Array.from({ length: limit }, async () => {
      while (next <= nodes) {
        try {
          await start(next++, bootstrap);
        } catch (error) {
          next = nodes + 1;
          throw error;
        }
      }
    }),
  );
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined)
    throw failure.reason instanceof Error ? failure.reason : new NautilusError('INTERNAL', String(failure.reason));
}
