/** Whole nodes finding their network on loopback: by address, by list, through a DHT of strangers; and what they say while they cannot. */
import { afterEach, describe, expect, it } from 'vitest';
import { createBootstrapService } from '../../src/bootstrap/index.ts';
import { createNode, type NautilusNode, resolveConfig } from '../../src/node/index.ts';
import { systemRandom } from '../../src/platform/index.ts';
import { startDhtNetwork } from '../support/dht-network.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const newDirectory = temporaryDirectory();
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of running.splice(0).toReversed()) await thing.stop();
});

interface Started {
  readonly node: NautilusNode;
  /** What it said of its way into the network. */
  readonly lines: readonly string[];
}

async function start(flags: Readonly<Record<string, unknown>>): Promise<Started> {
  const defaults = { dataDir: await newDirectory(), listen: ['/ip4/127.0.0.1/tcp/0'], storage: ['memory:'] };
  const config = await resolveConfig({ flags: { ...defaults, ...flags }, env: {} });
  const lines: string[] = [];
  const observer = {
    notify: (event: { readonly type: string; readonly source?: string; readonly message?: string }) => {
      if (event.type === 'bootstrap-progress') lines.push(`${event.source}: ${event.message}`);
    },
  };
  const node = await createNode(config, { observer });
  running.push(node);
  return { node, lines };
}

const knows = ({ node }: Started, other: Started) =>
  until(`${node.id().peerId} knows ${other.node.id().peerId}`, () =>
    node.peers().some(({ peerId, bucket }) => peerId === other.node.id().peerId && bucket !== null) ? true : undefined,
  );

const says = ({ lines }: Started, pattern: RegExp) =>
  until(`a line matches ${pattern}`, () => lines.find((line) => pattern.test(line)));

const address = ({ node }: Started) => node.ready.addresses[0]!;
const bytes = (text: string) => new TextEncoder().encode(text);

describe('a rendezvous', () => {
  it('brings two nodes together that know nobody but a DHT of strangers, and they exchange a record', async () => {
    const dht = await startDhtNetwork(5);
    running.push(dht);
    const rendezvous = (number: number) => ({ network: 'meeting', rendezvous: [dht.addresses[number]] });
    const stranger = await start({ ...rendezvous(2), network: 'elsewhere' });
    const a = await start(rendezvous(0));
    await says(a, /^--rendezvous: nobody found yet/);
    const b = await start(rendezvous(4));
    await Promise.all([knows(a, b), knows(b, a)]);

    await a.node.put('svc/web', bytes('10.0.0.1:80'));
    const { records } = await b.node.get('svc/web');
    expect(records.map(({ value }) => new TextDecoder().decode(value))).toEqual(['10.0.0.1:80']);
    expect(stranger.node.peers()).toEqual([]);
  });
});

describe('a bootstrap peer', () => {
  it('may be down: the node starts, says so, and joins when the peer is there', async () => {
    const dataDir = await newDirectory();
    const before = await start({ dataDir, mode: 'bootstrap' });
    const seed = address(before);
    await running.pop()?.stop();

    const node = await start({ bootstrap: [seed] });
    expect(await says(node, /is down/)).toMatch(
      new RegExp(`^--bootstrap: bootstrap peer ${seed} is down \\(.+\\): trying again in \\d+ s$`),
    );
    const other = await start({ bootstrap: [seed] });
    // the same identity at the same port
    const again = await start({ dataDir, mode: 'bootstrap', listen: [seed.slice(0, seed.indexOf('/p2p/'))] });
    expect(again.node.id()).toEqual(before.node.id());
    await Promise.all([knows(node, other), knows(other, node)]);
  });

  it('of another network is refused with the reason, and the networks do not mix', async () => {
    const stranger = await start({ network: 'theirs' });
    const node = await start({ network: 'ours', bootstrap: [address(stranger)] });
    expect(await says(node, /cannot be used/)).toMatch(/is no node of the network "ours"/);
    expect(node.node.peers().filter(({ bucket }) => bucket !== null)).toEqual([]);
  });
});

describe('a peer list', () => {
  it('served beside a bootstrap node introduces newcomers to each other; a node of another network is told why not', async () => {
    const seed = await start({ mode: 'bootstrap' });
    const service = await createBootstrapService({
      listen: { host: '127.0.0.1', port: 0 },
      network: 'main',
      ownAddresses: () => seed.node.ready.addresses,
      liveAddresses: () => [],
      random: systemRandom,
    });
    running.push(service);
    const [a, b] = [await start({ bootstrap: [service.url] }), await start({ bootstrap: [service.url] })];
    await Promise.all([knows(a, b), knows(b, a)]);
    const stranger = await start({ network: 'test', bootstrap: [service.url] });
    expect(await says(stranger, /cannot be used/)).toMatch(
      /it is of the network "main", this node is in "test": trying/,
    );
  });
});
