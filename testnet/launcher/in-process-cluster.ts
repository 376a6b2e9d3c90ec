/** Every node in this process: for development, where a debugger sees all of them and a start is quick. Real libp2p, real sockets. */

import { assert } from '../../src/core/index.ts';
import { createNode, type NautilusNode, resolveConfig } from '../../src/node/index.ts';
import { type Cluster, type ClusterInit, listenAddress, startInOrder } from './cluster.ts';
import { processToken } from './process-token.ts';

export interface InProcessCluster extends Cluster {
  /** By number; node 0 is the bootstrap service. Empty before `start`. */
  readonly nodes: readonly NautilusNode[];
}

/** One core does all the work; starting a few at once only hides the waits in between. */
const STARTING_AT_ONCE = 4;

/** A connection has both its ends in this process: what a machine of its own can well afford adds up to thousands here. */
const MAX_CONNECTIONS = 24;

export function createInProcessCluster({ directory, basePort, onStarted }: ClusterInit): InProcessCluster {
  // BOUNDED: the nodes of the testnet.
  const nodes: NautilusNode[] = [];
  const token = processToken(process.pid);
  assert(token !== undefined, 'this process runs');
  return {
    nodes,
    async start(signal) {
      const { nodes: count, network, storage } = directory.describe();
      await startInOrder(count, STARTING_AT_ONCE, async (n, bootstrap) => {
        const flags = {
          mode: n === 0 ? ('bootstrap' as const) : ('server' as const),
          network,
          listen: [listenAddress(basePort, n)],
          dataDir: directory.dataDir(n),
          // The service introduces everybody.
          ...(n > 0 && { maxConnections: MAX_CONNECTIONS }),
          bootstrap,
          ...(n > 0 && storage.length > 0 && { storage }),
        };
        // The operator's environment is for the operator's node: a testnet takes nothing from it.
        const node = await createNode(await resolveConfig({ flags, env: {} }), { signal });
        nodes[n] = node;
        const { peerId, addresses } = node.ready;
        directory.record({ n, process: { pid: process.pid, token }, peerId, addresses });
        onStarted();
        return addresses;
      });
    },
    async end(urgent) {
      if (urgent.aborted) return; // they end with the process
      const hurried = new Promise<void>((resolve) => urgent.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([Promise.all(nodes.map((node) => node.stop())), hurried]);
    },
  };
}
