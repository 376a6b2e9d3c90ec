/** The bootstrapper over the production Kademlia on a virtual clock: starts in any order, cuts and restarts. */
import { describe, expect, it } from 'vitest';
import { createAddressSource } from '../../src/bootstrap/address-source.ts';
import { type Bootstrapper, createBootstrapper } from '../../src/bootstrap/bootstrapper.ts';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { type SimulatedNode, World } from '../../testnet/simulator/index.ts';

const MINUTE = 60_000;

/** A node as `nautilus start --bootstrap <first>` makes it. */
async function startNode(world: World, node: SimulatedNode, first: readonly string[]): Promise<Bootstrapper> {
  await node.start();
  const bootstrapper = createBootstrapper({
    kademlia: node.kademlia,
    sources: first.length === 0 ? [] : [createAddressSource('--bootstrap', first)],
    selfPeerId: 'never dialled by id here',
    clock: node.life.clock,
    random: world.random.fork(`bootstrapper ${node.number}`),
    observer: SILENT_OBSERVER,
  });
  bootstrapper.start();
  return bootstrapper;
}

/** The numbers of the nodes in the table of `node`, in order. */
function knownTo(world: World, node: SimulatedNode): number[] {
  const known = node.kademlia.contacts().map(({ id }) => world.nodes.findIndex(({ self }) => self.id.equals(id)));
  return known.toSorted((a, b) => a - b);
}

/** Nodes 0–4 and 5–9 do not reach each other. */
function halves(from: number, to: number): boolean {
  return from < 5 === to < 5;
}

function others(numbers: readonly number[], self: SimulatedNode): number[] {
  return numbers.filter((number) => number !== self.number);
}

describe('bootstrapping', () => {
  it('brings nodes together that were all started before their bootstrap node', async () => {
    const world = await World.create({
      seed: 11,
      nodes: 9,
      joined: false,
      modeOf: (number) => (number === 0 ? 'bootstrap' : 'server'),
    });
    const first = world.node(0).self.addresses;
    const servers = world.nodes.slice(1);
    const bootstrappers = await world.do(() => Promise.all(servers.map((node) => startNode(world, node, first))));
    await world.run(30_000);
    expect(bootstrappers.map(({ state }) => state)).toEqual(servers.map(() => 'joining'));

    await world.do(() => world.node(0).start());
    await world.do(() => Promise.all(bootstrappers.map((bootstrapper) => bootstrapper.whenJoined())));
    await world.run(2 * MINUTE);
    for (const node of servers) {
      expect(knownTo(world, node)).toEqual(others([1, 2, 3, 4, 5, 6, 7, 8], node));
    }
    expect(bootstrappers.map(({ state }) => state)).toEqual(servers.map(() => 'joined'));
  });

  it('heals a network that was cut in two for an hour within two probes', async () => {
    const world = await World.create({ seed: 12, nodes: 10, joined: false });
    const first = world.node(0).self.addresses;
    await world.do(() => startNode(world, world.node(0), []));
    await world.do(() => Promise.all(world.nodes.slice(1).map((node) => startNode(world, node, first))));
    await world.run(MINUTE);
    world.network.setReachability(halves);
    await world.run(60 * MINUTE);
    expect(world.nodes.map((node) => node.kademlia.table.size)).toEqual(world.nodes.map(() => 4));

    world.network.heal();
    await world.run(25 * MINUTE);
    for (const node of world.nodes) {
      expect(knownTo(world, node)).toEqual(others([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], node));
      expect(node.kademlia.table.missing()).toEqual([]);
    }
  });

  it('merges two halves that never met, because a joined node goes on asking its bootstrap peers', async () => {
    const world = await World.create({ seed: 15, nodes: 10, joined: false });
    world.network.setReachability(halves);
    const first = [world.node(0), world.node(5)].flatMap(({ self }) => self.addresses);
    await world.do(() => Promise.all(world.nodes.map((node) => startNode(world, node, first))));
    await world.run(60 * MINUTE);
    expect(world.nodes.map((node) => node.kademlia.table.size)).toEqual(world.nodes.map(() => 4));

    world.network.heal();
    await world.run(25 * MINUTE);
    for (const node of world.nodes) {
      expect(knownTo(world, node)).toEqual(others([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], node));
    }
  });

  it('restarts without any bootstrap peer, through the saved table, when most of it is gone', async () => {
    const world = await World.create({ seed: 13, nodes: 12 });
    const returning = world.node(7);
    await world.do(() => returning.stop());
    for (const number of [0, 1, 2, 3, 4, 5, 6]) world.node(number).kill();
    const bootstrapper = await world.do(() => startNode(world, returning, []));
    await world.do(() => bootstrapper.whenJoined());
    expect(returning.kademlia.table.size).toBeGreaterThan(0);
    await world.run(2 * MINUTE);
    expect(knownTo(world, returning)).toEqual(expect.arrayContaining([8, 9, 10, 11]));
    expect(bootstrapper.state).toBe('joined');
  });

  it('stops in the middle of dials that hang, leaving nothing behind', async () => {
    const world = await World.create({ seed: 14, nodes: 2, joined: false });
    const bootstrapper = await world.do(() =>
      startNode(world, world.node(1), ['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.2/tcp/1']),
    );
    await world.do(() => bootstrapper.stop(), 1_000);
    await expect(world.do(() => bootstrapper.whenJoined())).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
