/** Rendezvous through DHTs that know nothing of Nautilus. Two whole nodes that meet this way are in rendezvous-nodes.test.ts. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRendezvous, type Rendezvous, type RendezvousInit } from '../../src/network/index.ts';
import { type DhtNetwork, startDhtNetwork } from '../support/dht-network.ts';

const open: Rendezvous[] = [];

async function visit(seed: number, init: Omit<RendezvousInit, 'privateKey'>): Promise<Rendezvous> {
  const rendezvous = await openRendezvous({ ...init, privateKey: new Uint8Array(32).fill(seed) });
  open.push(rendezvous);
  return rendezvous;
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((rendezvous) => rendezvous.close()));
});

describe.each([
  ['the default protocol', undefined],
  ['a protocol of its own', '/acme/kad/2.1.0'],
])('through a DHT of five servers with %s', (_, protocol) => {
  let dht: DhtNetwork;
  beforeAll(async () => {
    dht = await startDhtNetwork(5, protocol);
  });
  afterAll(() => dht.stop());

  it('a node finds the addresses another one announced, under that one’s identity', async () => {
    const addresses = ['/ip4/127.0.0.1/tcp/4801', '/ip4/10.1.2.3/tcp/4801'];
    const announcing = await visit(1, { network: 'main', addresses, through: [dht.addresses[3]!] });
    expect(announcing.announced).toEqual(addresses);
    await announcing.announce();
    const looking = await visit(2, { network: 'main', addresses: [], through: [dht.addresses[1]!] });
    const found = await allOf(looking.find());
    // seed 1 repeated, as a peer id
    const id = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
    expect(found.toSorted()).toEqual(addresses.map((address) => `${address}/p2p/${id}`).toSorted());
  });

  it('a node does not find itself, nor a node of another network', async () => {
    const other = await visit(3, {
      network: 'other',
      addresses: ['/ip4/127.0.0.1/tcp/4803'],
      through: [dht.addresses[0]!],
    });
    await other.announce();
    expect(await allOf(other.find())).toEqual([]);
    const looking = await visit(4, { network: 'another', addresses: [], through: [dht.addresses[0]!] });
    expect(await allOf(looking.find())).toEqual([]);
  });

  it('one dead rendezvous peer among several does no harm', async () => {
    const through = ['/ip4/127.0.0.1/tcp/1', dht.addresses[2]!];
    const announcing = await visit(5, { network: 'dead-one', addresses: ['/ip4/127.0.0.1/tcp/4805'], through });
    await announcing.announce();
    const looking = await visit(6, { network: 'dead-one', addresses: [], through });
    expect(await allOf(looking.find())).toHaveLength(1);
  });
});

describe('a rendezvous that cannot be', () => {
  it('says which peers do not answer', async () => {
    await expect(visit(1, { network: 'main', addresses: [], through: ['/ip4/127.0.0.1/tcp/1'] })).rejects.toMatchObject(
      {
        code: 'PEER_UNREACHABLE',
        message: 'rendezvous: none of /ip4/127.0.0.1/tcp/1 answers',
      },
    );
  });

  it('says that a peer without a DHT protocol belongs to no DHT', async () => {
    const plain = await startDhtNetwork(1, '/acme/not-a-dht/1.0.0');
    try {
      await expect(visit(1, { network: 'main', addresses: [], through: plain.addresses })).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringMatching(/belongs to no libp2p DHT .*name a DHT server$/),
      });
    } finally {
      await plain.stop();
    }
  });

  it('ends with the caller’s reason when the caller gives up', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(visit(1, { network: 'main', addresses: [], through: ['/ip4/127.0.0.1/tcp/1'], signal })).rejects.toBe(
      reason,
    );
  });
});
