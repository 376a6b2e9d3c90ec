/** peers, ping, lookup, status and id. */
import type { Command } from 'commander';
import { addJoinOptions } from './join-options.ts';
import { Table } from './table.ts';
import { bytes, count, duration } from './text.ts';
import { runVerb, type VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

export function addNetworkVerbs(program: Command): void {
  addJoinOptions(program.command('peers'))
    .summary('the peers this node knows')
    .description('Lists the peers in the routing table and those connected besides.')
    .action((_flags: object, command: Command) => runVerb(command, peers));
  addJoinOptions(program.command('ping'))
    .summary('measure the round trip to a peer')
    .argument('<peer>', 'a peer id, a node id or a multiaddr')
    .action((peer: string, _flags: object, command: Command) => runVerb(command, (context) => ping(context, peer)));
  addJoinOptions(program.command('lookup'))
    .summary('find the nodes closest to a key or peer')
    .argument('<target>', 'a key, a peer id or 64 hex digits')
    .action((target: string, _flags: object, command: Command) =>
      runVerb(command, (context) => lookup(context, target)),
    );
  addJoinOptions(program.command('status'))
    .summary('what this node is, holds and sees')
    .action((_flags: object, command: Command) => runVerb(command, status));
  addJoinOptions(program.command('id'))
    .summary('the identity of this node')
    .action((_flags: object, command: Command) => runVerb(command, id));
}

async function peers(context: VerbContext): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const table = new Table(output, [
      { title: 'PEER' },
      { title: 'BUCKET', align: 'right' },
      { title: 'RTT', align: 'right' },
      { title: 'SEEN', align: 'right' },
      { title: 'CONNECTED' },
      { title: 'ADDRESSES' },
    ]);
    let seen = 0;
    for await (const peer of caller.stream('peers', {}, { signal })) {
      seen += 1;
      const { peerId, bucket, rttMs, lastSeen, connected, addresses } = peer;
      if (output.json) await output.object(peer);
      else {
        await table.row([
          peerId,
          bucket === null ? '–' : String(bucket),
          rttMs === null ? '–' : duration(rttMs),
          lastSeen === null ? '–' : `${duration(Math.max(0, Date.now() - lastSeen))} ago`,
          connected ? 'yes' : 'no',
          addresses.join(' '),
        ]);
      }
    }
    await table.end();
    if (seen === 0 && !output.json)
      output.note('this node knows no peers: join others with "nautilus start --bootstrap ADDRESS"');
  });
}

async function ping(context: VerbContext, peer: string): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const answer = await caller.call('ping', { peer }, { signal });
    await output.object(answer);
    await output.line(`${answer.peerId} answered in ${duration(answer.rttMs)}`);
  });
}

async function lookup(context: VerbContext, target: string): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const found = await caller.call('lookup', { target }, { signal });
    await output.object(found);
    const table = new Table(output, [{ title: '#', align: 'right' }, { title: 'PEER' }, { title: 'NODE ID' }]);
    for (const [index, { peerId, nodeId }] of found.closest.entries())
      await table.row([String(index + 1), peerId, nodeId]);
    await table.end();
    const effort = `${count(found.hops, 'hop')}, ${count(found.requests, 'request')}, ${duration(found.elapsedMs)}`;
    await output.line(`${count(found.closest.length, 'node')} closest to ${found.target} (${effort})`);
  });
}

async function status(context: VerbContext): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const facts = await caller.call('status', {}, { signal });
    await output.object(facts);
    const rows: readonly (readonly [string, string])[] = [
      ['peer id', facts.peerId],
      ['network', `${facts.network}, about ${count(facts.networkSize, 'storing node')}`],
      ['mode', facts.mode],
      ['up for', duration(facts.uptimeMs)],
      ['peers', String(facts.peers)],
      ['holders of a key', `${facts.kEffective}${facts.settled ? '' : ' (still settling)'}`],
      ['records', `${facts.records} (${bytes(facts.bytes)})`],
      ...facts.storage.map((store): readonly [string, string] => [
        'storage',
        `${store.url} ${store.state}, ${count(store.records, 'record')} (${bytes(store.bytes)})`,
      ]),
    ];
    for (const [name, value] of rows) await output.line(`${output.dim(name.padEnd(16))}  ${value}`);
  });
}

async function id(context: VerbContext): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const identity = await caller.call('id', {}, { signal });
    await output.object(identity);
    await output.line(`${output.dim('peer id')}  ${identity.peerId}`);
    await output.line(`${output.dim('node id')}  ${identity.nodeId}`);
  });
}
