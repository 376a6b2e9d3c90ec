/** peers, ping, lookup, status and id as commander sees them. What they do is loaded when one of them is run (network-actions.ts). */
import type { Command } from 'commander';
import { addJoinOptions } from './join-options.ts';
import { runVerb } from './run-verb.ts';

const load = () => import('./network-actions.ts');

export function addNetworkVerbs(program: Command): void {
  addJoinOptions(program.command('peers'))
    .summary('the peers this node knows')
    .description('Lists the peers in the routing table and those connected besides.')
    .action((_flags: object, command: Command) => runVerb(command, async (context) => (await load()).peers(context)));
  addJoinOptions(program.command('ping'))
    .summary('measure the round trip to a peer')
    .argument('<peer>', 'a peer id, a node id or a multiaddr')
    .action((peer: string, _flags: object, command: Command) =>
      runVerb(command, async (context) => (await load()).ping(context, peer)),
    );
  addJoinOptions(program.command('lookup'))
    .summary('find the nodes closest to a key or peer')
    .argument('<target>', 'a key, a peer id or 64 hex digits')
    .action((target: string, _flags: object, command: Command) =>
      runVerb(command, async (context) => (await load()).lookup(context, target)),
    );
  addJoinOptions(program.command('status'))
    .summary('what this node is, holds and sees')
    .action((_flags: object, command: Command) => runVerb(command, async (context) => (await load()).status(context)));
  addJoinOptions(program.command('id'))
    .summary('the identity of this node')
    .action((_flags: object, command: Command) => runVerb(command, async (context) => (await load()).id(context)));
}
