/** start, bootstrap and stop. */
import type { Command } from 'commander';
import { connectControl } from '../client/index.ts';
import { isNautilusError, NautilusError } from '../core/index.ts';
import { repeatable } from './join-options.ts';
import { type NodeFlags, runNode } from './run-node.ts';
import { runVerb, type VerbContext } from './verb-context.ts';

/** How long `stop` waits for a node to hand over and end, ms. */
const STOP_TIMEOUT_MS = 60_000;

export function addNodeVerbs(program: Command): void {
  addNodeOptions(program.command('start'))
    .summary('run a node until it is stopped')
    .description('Runs a node until Ctrl-C or "nautilus stop". Without --bootstrap it is a new network of one.')
    .addOption(repeatable('--storage <url>', 'where records are kept; several form a ring'))
    .option('--mode <mode>', 'server stores (default), client asks only, bootstrap introduces')
    .action((flags: NodeFlags, command: Command) => runVerb(command, (context) => runNode(context, flags)));
  addNodeOptions(program.command('bootstrap'))
    .summary('run the service that introduces peers')
    .description('Runs a node that introduces peers to each other and stores nothing.')
    .option('--list <host:port>', 'also serve the list of peers over HTTP there')
    .action((flags: NodeFlags, command: Command) =>
      runVerb(command, (context) => runNode(context, { ...flags, mode: 'bootstrap' })),
    );
  program
    .command('stop')
    .summary('end the node that runs here')
    .description('Ends the node of the data directory gracefully, and returns when it has ended.')
    .action((_flags: object, command: Command) => runVerb(command, stop));
}

function addNodeOptions(command: Command): Command {
  return command
    .addOption(
      repeatable('--listen <multiaddr>', 'where to listen; default /ip4/0.0.0.0/tcp/4801, or the next free port'),
    )
    .addOption(repeatable('--announce <multiaddr>', 'what to tell others instead of the addresses listened on'))
    .addOption(
      repeatable('--bootstrap <address>', 'a peer to join through: multiaddr, /dnsaddr or the URL of a peer list'),
    )
    .option('--network <name>', 'the network to be part of (default: main)')
    .option('--mdns', 'find peers on the local network')
    .addOption(repeatable('--rendezvous <multiaddr>', 'find peers through any libp2p DHT this address is part of'))
    .option('--log-level <level>', 'how much goes to node.log: error, warn, info or debug');
}

async function stop({ dataDir, output }: VerbContext): Promise<void> {
  const client = await connectControl({ dataDir });
  const timer = new AbortController();
  const timeout = setTimeout(() => {
    timer.abort(
      new NautilusError('TIMEOUT', `the node in ${dataDir} is still stopping: look again, or end its process`),
    );
  }, STOP_TIMEOUT_MS);
  try {
    const { peerId } = await client.call('id', {}, timer);
    try {
      await client.call('stop', {}, timer);
    } catch (error) {
      // It ended so fast that its last word was lost: it has ended.
      if (!isNautilusError(error, 'NODE_UNREACHABLE')) throw error;
    }
    await output.object({ stopped: true, peerId });
    await output.line(`stopped ${peerId}`);
  } finally {
    clearTimeout(timeout);
    client.close();
  }
}
