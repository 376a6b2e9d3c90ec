/** What peers, ping, lookup, status and id do. */
import { Table } from './table.ts';
import { bytes, count, duration, printable } from './text.ts';
import type { VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

export async function peers(context: VerbContext): Promise<void> {
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

export async function ping(context: VerbContext, peer: string): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const answer = await caller.call('ping', { peer }, { signal });
    await output.object(answer);
    await output.line(`${answer.peerId} answered in ${duration(answer.rttMs)}`);
  });
}

export async function lookup(context: VerbContext, target: string): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const found = await caller.call('lookup', { target }, { signal });
    await output.object(found);
    const table = new Table(output, [{ title: '#', align: 'right' }, { title: 'PEER' }, { title: 'NODE ID' }]);
    for (const [index, { peerId, nodeId }] of found.closest.entries())
      await table.row([String(index + 1), peerId, nodeId]);
    await table.end();
    const effort = `${count(found.hops, 'hop')}, ${count(found.requests, 'request')}, ${duration(found.elapsedMs)}`;
    await output.line(`${count(found.closest.length, 'node')} closest to ${printable(target)} (${effort})`);
  });
}

export async function status(context: VerbContext): Promise<void> {
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
      ...facts.hotKeys.map(({ key, keyId, calls }): readonly [string, string] => [
        'hot key',
        `${key ?? keyId}, ${count(calls, 'call')} in a minute`,
      ]),
    ];
    for (const [name, value] of rows) await output.line(`${output.dim(name.padEnd(16))}  ${value}`);
  });
}

export async function id(context: VerbContext): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const identity = await caller.call('id', {}, { signal });
    await output.object(identity);
    await output.line(`${output.dim('peer id')}  ${identity.peerId}`);
    await output.line(`${output.dim('node id')}  ${identity.nodeId}`);
  });
}
