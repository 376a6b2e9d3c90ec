/** Every node a process of its own, a few starting at a time. */
import { availableParallelism } from 'node:os';
import { type Cluster, type ClusterInit, listenAddress, startInOrder } from './cluster.ts';
import { endProcess, startNodeProcess } from './node-process.ts';
import type { TestnetDirectory } from './testnet-directory.ts';

export function createProcessCluster({ directory, basePort, onStarted }: ClusterInit): Cluster {
  return {
    async start(signal) {
      const { nodes, network, storage } = directory.describe();
      // A start is about a second of CPU and little else: one per core, and one more to fill the gaps.
      await startInOrder(nodes, availableParallelism() + 1, async (n, bootstrap) => {
        const listen = listenAddress(basePort, n);
        const { addresses } = await startNodeProcess({ directory, n, network, listen, storage, bootstrap }, signal);
        onStarted();
        return addresses;
      });
    },
    end: (urgent) => endProcesses(directory, urgent),
  };
}

/** Goes by what the directory says, so that nodes which another shell restarted end too. Resolves when none is left. */
export async function endProcesses(directory: TestnetDirectory, urgent?: AbortSignal): Promise<void> {
  const [service, ...nodes] = directory.entries();
  await Promise.all(nodes.map((entry) => endProcess(entry.process, urgent)));
  // Last, so that a leaving node still has somebody to say goodbye to.
  if (service !== undefined) await endProcess(service.process, urgent);
}
