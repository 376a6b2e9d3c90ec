/** start, bootstrap and stop as commander sees them. */
import type { Command } from 'commander';
import { repeatable } from './join-options.ts';
import type { NodeFlags } from './run-node.ts';
import { runVerb } from './run-verb.ts';

export function addNodeVerbs(program: Command): void {
  addNodeOptions(program.command('start'))
    .summary('run a node until it is stopped')
    .description('Runs a node until Ctrl-C or "nautilus stop". Without --bootstrap it is a new network of one.')
    .addOption(repeatable('--storage <url>', 'where records are kept; several form a ring'))
    .option('--mode <mode>', 'server stores (default), client asks only, bootstrap introduces')
    .action((flags: NodeFlags, command: Command) =>
      runVerb(command, async (context) => (await import('./run-node.ts')).runNode(context, flags)),
    );
  addNodeOptions(program.command('bootstrap'))
    .summary('run the service that introduces peers')
    .description('Runs a node that introduces peers to each other and stores nothing.')
    .option('--list <host:port>', 'also serve the list of peers over HTTP there')
    .action((flags: NodeFlags, command: Command) =>
      runVerb(command, async (context) => {
        const { runNode } = await import('./run-node.ts');
        await runNode(context, { ...flags, mode: 'bootstrap' });
      }),
    );
  program
    .command('stop')
    .summary('end the node that runs here')
    .description('Ends the node of the data directory gracefully, and returns when it has ended.')
    .action((_flags: object, command: Command) =>
      runVerb(command, async (context) => (await import('./stop-node.ts')).stopNode(context)),
    );
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
