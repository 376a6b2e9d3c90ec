import { describe, expect, it } from 'vitest';
import { NautilusError, type NodeEvent, type StateStore } from '../../../src/core/index.ts';
import { type Contact, compareDistance, createContact, NodeId, type Response } from '../../../src/kademlia/index.ts';
import { EMPTY_HANDED, MemoryNetwork, type MemoryNode } from './memory-network.ts';

const idsOf = (contacts: readonly { readonly id: NodeId }[]) => contacts.map(({ id }) => id.hex);

/** The oracle: everybody but the searcher, nearest first. */
function trueClosest(nodes: readonly MemoryNode[], searcher: MemoryNode, target: NodeId, count = 20): string[] {
  const others = nodes.filter((node) => node !== searcher).map((node) => node.kademlia.self);
  return idsOf(others.sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, count));
}

function memoryState(): StateStore & { readonly values: Map<string, Uint8Array> } {
  const values = new Map<string, Uint8Array>();
  return {
    values,
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
    async *entries() {
      for (const [key, value] of values) yield { key, value };
    },
  };
}

describe('Kademlia', () => {
  describe('alone', () => {
    it('finds nobody, and says the network has one server', async () => {
      const network = new MemoryNetwork();
      const { kademlia } = await network.addNode();
      const outcome = await network.run(kademlia.findClosest(NodeId.fromBytes(network.random.bytes(32))));
      expect(outcome).toMatchObject({ closest: [], hops: 0, requests: 0, complete: true });
      await network.run(kademlia.bootstrap());
      await network.run(kademlia.refresh());
      expect(kademlia.networkSize()).toBe(1);
      expect(kademlia.rank(NodeId.fromBytes(network.random.bytes(32)))).toBe(1);
    });
  });

  describe('joining', () => {
    it('gets to know everybody in a network smaller than K, from one address', async () => {
      const network = new MemoryNetwork(2);
      const nodes = await network.addServers(7);
      for (const node of nodes) {
        expect(node.kademlia.table.size).toBe(6);
        expect(node.kademlia.networkSize()).toBe(7);
      }
    });

    it("works through a bootstrap node that is in nobody's table", async () => {
      const network = new MemoryNetwork(3);
      const seed = await network.addNode({ mode: 'bootstrap' });
      const nodes = await network.addServers(5, seed);
      for (const node of nodes) {
        expect(node.kademlia.table.size).toBe(4);
        expect(node.kademlia.table.get(seed.kademlia.self.id)).toBeUndefined();
      }
      expect(seed.kademlia.table.size).toBe(5);
      expect(seed.kademlia.networkSize()).toBe(5);
    });

    it('finds the true closest from everywhere in a network larger than K, without asking many more', async () => {
      const network = new MemoryNetwork(4);
      const nodes = await network.addServers(40);
      for (let i = 0; i < 20; i++) {
        const target = NodeId.fromBytes(network.random.bytes(32));
        const searcher = nodes[i * 2]!;
        const outcome = await network.run(searcher.kademlia.findClosest(target));
        expect(idsOf(outcome.closest)).toEqual(trueClosest(nodes, searcher, target));
        expect(outcome.requests).toBeLessThanOrEqual(26);
        expect(outcome.complete).toBe(true);
      }
    });

    it('keeps clients out of every table, though they search like anybody', async () => {
      const network = new MemoryNetwork(5);
      const nodes = await network.addServers(6);
      const client = await network.addNode({ mode: 'client' });
      await network.join(client, nodes[0]!);
      const target = client.kademlia.self.id;
      const outcome = await network.run(client.kademlia.findClosest(target));
      expect(idsOf(outcome.closest)).toEqual(trueClosest(nodes, client, target));
      expect(client.kademlia.networkSize()).toBe(6);
      for (const node of nodes) expect(node.kademlia.table.get(target)).toBeUndefined();
    });

    it('lets a full bucket keep its oldest while it answers, and gives its place away when it does not', async () => {
      const network = new MemoryNetwork(6, { k: 2 });
      network.init = { ...network.init, challengeAfterMs: 60_000 };
      const hub = await network.addNode();
      await network.addNeighbour(hub);
      const sameBucket: MemoryNode[] = [];
      while (sameBucket.length < 4) {
        const publicKey = network.random.bytes(32);
        if (hub.kademlia.table.bucketIndex(createContact(publicKey, []).id) !== 0) continue;
        sameBucket.push(await network.addNode({ publicKey }));
      }
      const [first, second, third, fourth] = sameBucket as [MemoryNode, MemoryNode, MemoryNode, MemoryNode];
      const inTable = () => idsOf(hub.kademlia.contacts()).slice(0, 2);
      for (const node of [first, second]) await network.run(node.kademlia.connect(hub.address));
      await network.clock.advance(61_000);
      await network.run(third.kademlia.connect(hub.address));
      await network.clock.advance(100);
      expect(first.transport.received).toEqual([{ type: 'PING' }]);
      expect(inTable()).toEqual(idsOf([second.kademlia.self, first.kademlia.self]));
      second.transport.state = 'dead';
      await network.clock.advance(61_000);
      await network.run(fourth.kademlia.connect(hub.address));
      await network.clock.advance(100);
      expect(inTable()).toEqual(idsOf([first.kademlia.self, fourth.kademlia.self]));
    });
  });

  describe('a full bucket', () => {
    /** A hub with K = 2 and `count` servers of its bucket 0, the first two of which have its places and have been quiet for a minute. */
    async function crowdedHub(seed: number, count: number) {
      const network = new MemoryNetwork(seed, { k: 2 });
      network.init = { ...network.init, challengeAfterMs: 60_000 };
      const hub = await network.addNode();
      await network.addNeighbour(hub);
      const crowd: MemoryNode[] = [];
      while (crowd.length < count) {
        const publicKey = network.random.bytes(32);
        if (hub.kademlia.table.bucketIndex(createContact(publicKey, []).id) === 0) {
          crowd.push(await network.addNode({ publicKey }));
        }
      }
      for (const node of crowd.slice(0, 2)) await network.run(node.kademlia.connect(hub.address));
      await network.clock.advance(61_000);
      const knock = async (node: MemoryNode) => {
        await network.run(node.kademlia.ping(hub.kademlia.self));
        await network.clock.advance(100);
      };
      const pings = () => crowd.map(({ transport }) => transport.received.filter(({ type }) => type === 'PING').length);
      const inTable = () => idsOf(hub.kademlia.contacts()).slice(0, 2);
      return { network, crowd, knock, pings, inTable };
    }

    it('has one contact pinged in a minute while they answer, however many strangers ask', async () => {
      const { network, crowd, knock, pings } = await crowdedHub(28, 5);
      for (const node of crowd.slice(2)) for (let i = 0; i < 5; i++) await knock(node);
      expect(pings()).toEqual([1, 0, 0, 0, 0]);
      await network.clock.advance(61_000);
      for (const node of crowd.slice(2)) for (let i = 0; i < 5; i++) await knock(node);
      expect(pings()).toEqual([1, 1, 0, 0, 0]);
    });

    it('gives one place after the other away as long as nobody answers', async () => {
      const { crowd, knock, inTable } = await crowdedHub(29, 4);
      const [first, second, third, fourth] = crowd as [MemoryNode, MemoryNode, MemoryNode, MemoryNode];
      for (const node of [first, second]) node.transport.state = 'dead';
      await knock(third);
      expect(inTable()).toEqual(idsOf([second.kademlia.self, third.kademlia.self]));
      await knock(fourth);
      expect(inTable()).toEqual(idsOf([third.kademlia.self, fourth.kademlia.self]));
    });
  });

  describe('when nodes die', () => {
    it('still finds K of the living, nearly all of them the nearest, when nobody noticed the deaths', async () => {
      const network = new MemoryNetwork(7);
      const nodes = await network.addServers(50);
      nodes.forEach((node, i) => {
        if (i % 3 === 1) node.transport.state = 'dead';
      });
      const living = nodes.filter((node) => node.transport.state === 'alive');
      let found = 0;
      for (let i = 0; i < 20; i++) {
        const searcher = living[i]!;
        const target = NodeId.fromBytes(network.random.bytes(32));
        const outcome = await network.run(searcher.kademlia.findClosest(target));
        const truth = trueClosest(living, searcher, target);
        expect(outcome.closest).toHaveLength(20);
        expect(outcome.elapsedMs).toBeLessThan(100);
        found += outcome.closest.filter(({ id }) => truth.includes(id.hex)).length;
      }
      expect(found / (20 * 20)).toBeGreaterThan(0.9);
    });

    it('finds exactly the nearest of the living once broken connections told of the deaths', async () => {
      const network = new MemoryNetwork(7);
      const nodes = await network.addServers(40);
      for (const [i, node] of nodes.entries()) if (i % 3 === 1) node.transport.kill();
      await network.clock.advance(100);
      const living = nodes.filter((node) => node.transport.state === 'alive');
      for (const searcher of living.slice(0, 10)) {
        const target = NodeId.fromBytes(network.random.bytes(32));
        const outcome = await network.run(searcher.kademlia.findClosest(target));
        expect(idsOf(outcome.closest)).toEqual(trueClosest(living, searcher, target));
        expect(outcome.requests).toBeLessThanOrEqual(26);
      }
    });

    it('keeps a contact whose connection broke but who is still there', async () => {
      const network = new MemoryNetwork(27);
      const [a, b] = (await network.addServers(3)) as [MemoryNode, MemoryNode, MemoryNode];
      a.transport.disconnect(b.kademlia.self, 'lost');
      await network.clock.advance(100);
      expect(a.kademlia.table.size).toBe(2);
      expect(a.transport.peer(b.kademlia.self.id)).toBeDefined();
      a.transport.disconnect(b.kademlia.self);
      await network.clock.advance(100);
      expect(a.transport.peer(b.kademlia.self.id)).toBeUndefined();
      expect(a.kademlia.table.size).toBe(2);
    });

    it('pays for the silent with hedges, all at once', async () => {
      const network = new MemoryNetwork(8);
      const nodes = await network.addServers(50);
      const searcher = nodes[0]!;
      // It knows how fast everybody is.
      for (const contact of searcher.kademlia.contacts()) await network.run(searcher.kademlia.ping(contact));
      nodes.forEach((node, i) => {
        if (i % 3 === 1) node.transport.state = 'hung';
      });
      for (let i = 0; i < 10; i++) {
        const target = NodeId.fromBytes(network.random.bytes(32));
        const outcome = await network.run(searcher.kademlia.findClosest(target));
        expect(outcome.closest).toHaveLength(20);
        for (const { addresses } of outcome.closest) expect(network.transports.get(addresses[0]!)?.state).toBe('alive');
        expect(outcome.elapsedMs).toBeLessThan(400);
      }
    });

    it('waits one adaptive timeout for a silent node in a small network, and not again for the next lookup', async () => {
      const network = new MemoryNetwork(9);
      const nodes = await network.addServers(6);
      const [searcher, hung] = nodes as [MemoryNode, MemoryNode];
      hung.transport.state = 'hung';
      const first = await network.run(searcher.kademlia.findClosest(hung.kademlia.self.id));
      expect(first.closest).toHaveLength(4);
      expect(first.elapsedMs).toBeGreaterThanOrEqual(500);
      expect(first.elapsedMs).toBeLessThan(1_600);
      const second = await network.run(searcher.kademlia.findClosest(hung.kademlia.self.id));
      expect(second.closest).toHaveLength(4);
      expect(second.elapsedMs).toBeLessThan(50);
    });

    it('forgets nobody when its own network is gone, and is back when it is', async () => {
      const network = new MemoryNetwork(10);
      const nodes = await network.addServers(6);
      const [lonely, ...others] = nodes as [MemoryNode, ...MemoryNode[]];
      for (const node of others) node.transport.state = 'hung';
      for (let i = 0; i < 5; i++)
        await network.run(lonely.kademlia.findClosest(NodeId.fromBytes(network.random.bytes(32))));
      expect(lonely.kademlia.table.size).toBe(0);
      expect(lonely.kademlia.contacts()).toHaveLength(5);
      for (const node of others) node.transport.state = 'alive';
      await network.run(lonely.kademlia.bootstrap());
      expect(lonely.kademlia.table.size).toBe(5);
    });

    it('finds the other half again after a cut, by knocking at the doors of the missing', async () => {
      const network = new MemoryNetwork(11);
      const nodes = await network.addServers(8);
      const [here, there] = [nodes.slice(0, 4), nodes.slice(4)];
      for (const node of there) node.transport.state = 'dead';
      for (let i = 0; i < 3; i++) {
        await network.clock.advance(31_000);
        for (const node of here)
          await network.run(node.kademlia.findClosest(NodeId.fromBytes(network.random.bytes(32))));
      }
      for (const node of here) expect(node.kademlia.table.size).toBe(3);
      for (const node of there) node.transport.state = 'alive';
      await network.clock.advance(1_300_000); // two refresh periods
      for (const node of here) expect(node.kademlia.table.size).toBe(7);
    });
  });

  describe('a network cut in two', () => {
    it('is one again within two refresh periods, an hour and twelve deaths later', async () => {
      const network = new MemoryNetwork(60, { k: 8 });
      const nodes = await network.addServers(32);
      const halves = [nodes.slice(0, 16), nodes.slice(16)] as const;
      network.cut(...halves);
      const fallen: MemoryNode[] = [];
      for (let i = 0; i < 6; i++) {
        await network.clock.advance(600_000);
        for (const half of halves) {
          half[i * 2]!.transport.kill();
          fallen.push(half[i * 2]!);
        }
      }
      const living = nodes.filter((node) => !fallen.includes(node));
      for (const searcher of living.filter((_, i) => i % 6 === 0)) {
        const { closest } = await network.run(searcher.kademlia.findClosest(searcher.kademlia.self.id));
        expect(closest.filter((contact) => network.areApart(contact, searcher.kademlia.self))).toEqual([]);
      }
      network.sides.clear();
      await network.clock.advance(1_320_000); // two periods, 10 % late
      for (const searcher of living.filter((_, i) => i % 6 === 0)) {
        const target = NodeId.fromBytes(network.random.bytes(32));
        const outcome = await network.run(searcher.kademlia.findClosest(target));
        expect(idsOf(outcome.closest)).toEqual(trueClosest(living, searcher, target, 8));
      }
    }, 60_000);
  });

  it('asks far contacts whether they are still there in every third refresh', async () => {
    const network = new MemoryNetwork(63, { k: 8 });
    const nodes = await network.addServers(48);
    const { kademlia } = nodes[0]!;
    await network.clock.advance(301_000); // now no bucket has been looked at lately
    const pings: number[] = [];
    for (let i = 0; i < 7; i++) {
      for (const { transport } of nodes) transport.received.length = 0;
      await network.run(kademlia.refresh());
      const received = nodes.flatMap(({ transport }) => transport.received);
      pings.push(received.filter(({ type }) => type === 'PING').length);
    }
    const farBuckets = kademlia.table.neighbourhoodDepth();
    expect(farBuckets).toBeGreaterThan(1);
    expect(pings).toEqual([farBuckets, 0, 0, farBuckets, 0, 0, farBuckets]);
  });

  describe('one that was away', () => {
    /** Of `searcher`'s next refresh, once `away` is there again. */
    async function questionsAtReturn(network: MemoryNetwork, searcher: MemoryNode, away: readonly MemoryNode[]) {
      const isMissing = ({ id }: Contact) => away.some((node) => node.kademlia.self.id.equals(id));
      for (let i = 0; i < 10 && searcher.kademlia.contacts().some(isMissing); i++) await network.clock.advance(660_000);
      expect(searcher.kademlia.table.missing().some(isMissing)).toBe(true);
      await network.clock.advance(301_000); // now no bucket has been looked at lately
      network.sides.clear();
      for (const node of away) node.transport.state = 'alive';
      for (const transport of network.transports.values()) transport.received.length = 0;
      await network.run(searcher.kademlia.refresh());
      const received = [...network.transports.values()].flatMap((transport) => transport.received);
      return received.filter((request) => request.type === 'FIND_NODE').length;
    }

    it('is asked whom it knows, and that is all when it brings nobody new', async () => {
      const network = new MemoryNetwork(61, { k: 8 });
      const nodes = await network.addServers(48);
      const [searcher, away] = nodes as [MemoryNode, MemoryNode];
      away.transport.state = 'dead';
      const questions = await questionsAtReturn(network, searcher, [away]);
      expect(searcher.kademlia.table.missing()).toEqual([]);
      expect(questions).toBeLessThan(20);
    });

    it('has every bucket looked into when it brings a network of its own', async () => {
      const network = new MemoryNetwork(62, { k: 8 });
      const nodes = await network.addServers(48);
      const halves = [nodes.slice(0, 24), nodes.slice(24)] as const;
      network.cut(...halves);
      const questions = await questionsAtReturn(network, nodes[0]!, halves[1]);
      expect(questions).toBeGreaterThan(40);
    });
  });

  describe('saying goodbye', () => {
    it('takes who leaves out of every table at once, without blame and without dialling it again', async () => {
      const network = new MemoryNetwork(40);
      const nodes = await network.addServers(6);
      const [leaver, ...others] = nodes as [MemoryNode, ...MemoryNode[]];
      await network.run(leaver.kademlia.leave());
      for (const { kademlia } of others) {
        expect(kademlia.table.get(leaver.kademlia.self.id)).toBeUndefined();
        expect(kademlia.table.missing()).toEqual([]);
      }
      expect(leaver.transport.state).toBe('alive');
      leaver.transport.received.length = 0;
      const outcome = await network.run(others[0]!.kademlia.findClosest(leaver.kademlia.self.id));
      expect(outcome).toMatchObject({ silent: [], complete: true });
      expect(idsOf(outcome.closest)).toEqual(trueClosest(others, others[0]!, leaver.kademlia.self.id));
      expect(leaver.transport.received).toEqual([]);
    });

    it('does not take it back for what it still says, but when it connects anew', async () => {
      const network = new MemoryNetwork(41);
      const [a, b] = (await network.addServers(3)) as [MemoryNode, MemoryNode, MemoryNode];
      await network.run(a.kademlia.leave());
      await network.run(a.kademlia.ping(b.kademlia.self));
      await network.run(b.kademlia.ping(a.kademlia.self));
      expect(b.kademlia.table.get(a.kademlia.self.id)).toBeUndefined();
      a.transport.disconnect(b.kademlia.self);
      await network.run(b.kademlia.ping(a.kademlia.self));
      expect(b.kademlia.table.get(a.kademlia.self.id)).toBeDefined();
    });

    it('takes a bounded time when some do not listen, and the others are told', async () => {
      const network = new MemoryNetwork(42);
      const nodes = await network.addServers(12);
      const [leaver, ...others] = nodes as [MemoryNode, ...MemoryNode[]];
      others.forEach((node, i) => {
        if (i % 2 === 0) node.transport.state = i % 4 === 0 ? 'hung' : 'dead';
      });
      const startedAt = network.clock.monotonic();
      await network.run(leaver.kademlia.leave());
      expect(network.clock.monotonic() - startedAt).toBeLessThanOrEqual(3_100);
      for (const { kademlia, transport } of others) {
        if (transport.state === 'alive') expect(kademlia.table.get(leaver.kademlia.self.id)).toBeUndefined();
      }
      await network.run(leaver.kademlia.stop());
    });

    it('says nothing as a client: nobody counts on it', async () => {
      const network = new MemoryNetwork(43);
      const [server] = (await network.addServers(1)) as [MemoryNode];
      const client = await network.addNode({ mode: 'client' });
      await network.join(client, server);
      server.transport.received.length = 0;
      await network.run(client.kademlia.leave());
      expect(server.transport.received).toEqual([]);
    });
  });

  describe('contacts that do not answer', () => {
    it('are named by the lookup until they have been silent for the suspicion time', async () => {
      const network = new MemoryNetwork(44);
      const nodes = await network.addServers(6);
      const [searcher, dead, hung, ...rest] = nodes as [MemoryNode, MemoryNode, MemoryNode, ...MemoryNode[]];
      dead.transport.state = 'dead';
      hung.transport.state = 'hung';
      const search = () => network.run(searcher.kademlia.findClosest(dead.kademlia.self.id));
      const gone = new Set(idsOf([dead.kademlia.self, hung.kademlia.self]));
      const startedAt = network.clock.monotonic();
      while (network.clock.monotonic() - startedAt < 20_000) {
        const { closest, silent } = await search();
        expect(new Set(idsOf(silent))).toEqual(gone);
        expect(closest).toHaveLength(rest.length);
        await network.clock.advance(4_000);
      }
      await network.clock.advance(10_000);
      expect((await search()).silent).toEqual([]);
    });

    it('are not named when only one other node ever told of them: it may have made them up', async () => {
      const network = new MemoryNetwork(45);
      const nodes = await network.addServers(4);
      const [searcher, liar] = nodes as [MemoryNode, MemoryNode];
      const invented = Array.from({ length: 5 }, () =>
        createContact(network.random.bytes(32), ['/ip4/127.0.0.1/tcp/1']),
      );
      const lie: Response = { type: 'FIND_NODE', closer: [...invented, ...invented] };
      liar.transport.answerInstead = (request) => (request.type === 'FIND_NODE' ? lie : undefined);
      const outcome = await network.run(searcher.kademlia.findClosest(invented[0]!.id));
      expect(outcome).toMatchObject({ silent: [], complete: true });
      expect(outcome.closest).toHaveLength(3);
    });

    it('are nobody farther than the K that answered', async () => {
      const network = new MemoryNetwork(46, { k: 4 });
      const nodes = await network.addServers(20);
      const searcher = nodes[0]!;
      const target = NodeId.fromBytes(network.random.bytes(32));
      const order = trueClosest(nodes, searcher, target);
      const at = (rank: number) => nodes.find((node) => node.kademlia.self.id.hex === order[rank])!;
      for (const rank of [1, 3, 9]) at(rank).transport.state = 'dead';
      const { closest, silent } = await network.run(searcher.kademlia.findClosest(target));
      expect(idsOf(closest)).toEqual([order[0], order[2], order[4], order[5]]);
      expect(idsOf(silent)).toEqual([order[1], order[3]]);
    });

    it('are asked again within seconds when they are neighbours, so that their death is certain', async () => {
      const network = new MemoryNetwork(47);
      const nodes = await network.addServers(6);
      const [noticing, hung, stalled] = nodes as [MemoryNode, MemoryNode, MemoryNode];
      for (const node of [hung, stalled]) {
        node.transport.state = 'hung';
        await expect(network.run(noticing.kademlia.ping(node.kademlia.self))).rejects.toThrow();
      }
      stalled.transport.state = 'alive';
      const trusted = () => idsOf(noticing.kademlia.neighbourhood().contacts);
      expect(trusted()).toHaveLength(5);
      await network.clock.advance(9_000);
      expect(trusted()).not.toContain(hung.kademlia.self.id.hex);
      expect(trusted()).toHaveLength(4);
      expect(noticing.kademlia.table.failures(stalled.kademlia.self.id)).toBe(0);
    });
  });

  describe('watching the neighbourhood', () => {
    it('meets a newcomer that only others were told of, within some rounds', async () => {
      const network = new MemoryNetwork(50);
      network.init = {};
      const nodes = await network.addServers(8);
      const newcomer = await network.addNode();
      // It knows and is known to one of them only: it never looks itself up.
      await network.run(newcomer.kademlia.connect(nodes[0]!.address));
      expect(nodes.filter(({ kademlia }) => kademlia.table.get(newcomer.kademlia.self.id) !== undefined)).toHaveLength(
        1,
      );
      await network.clock.advance(300_000);
      for (const { kademlia } of nodes) expect(kademlia.table.get(newcomer.kademlia.self.id)).toBeDefined();
      expect(newcomer.kademlia.table.size).toBe(8);
    });

    it('meets again whom others name still, though it did not answer once', async () => {
      const network = new MemoryNetwork(53);
      network.init = {};
      const [watching, lost, ...others] = (await network.addServers(6)) as [MemoryNode, MemoryNode, ...MemoryNode[]];
      // Both sides time out, and forget each other: whoever was silent is asked again by those who have a reason to.
      network.cut([watching], [lost]);
      await network.run(watching.kademlia.ping(lost.kademlia.self).catch(() => undefined));
      await network.run(lost.kademlia.ping(watching.kademlia.self).catch(() => undefined));
      watching.kademlia.table.remove(lost.kademlia.self.id);
      lost.kademlia.table.remove(watching.kademlia.self.id);
      network.cut();
      for (const { kademlia } of others) expect(kademlia.table.get(lost.kademlia.self.id)).toBeDefined();
      await network.clock.advance(300_000);
      expect(watching.kademlia.table.get(lost.kademlia.self.id)).toBeDefined();
      expect(lost.kademlia.table.get(watching.kademlia.self.id)).toBeDefined();
    });

    it('asks less and less often while there is nothing new, and often again as soon as there is', async () => {
      const network = new MemoryNetwork(51);
      network.init = { watchIntervals: { shortest: 2_000, longest: 32_000 } };
      const nodes = await network.addServers(6);
      await network.addNode(); // alone: it has nobody to ask
      const questionsIn = async (ms: number) => {
        for (const { transport } of nodes) transport.received.length = 0;
        await network.clock.advance(ms);
        return nodes.reduce((sum, { transport }) => sum + transport.received.length, 0) / nodes.length;
      };
      const atFirst = await questionsIn(30_000);
      expect(atFirst).toBeGreaterThanOrEqual(3);
      expect(atFirst).toBeLessThanOrEqual(6);
      await network.clock.advance(60_000);
      const quiet = await questionsIn(320_000);
      expect(quiet).toBeGreaterThanOrEqual(10);
      expect(quiet).toBeLessThanOrEqual(20);
      const newcomer = await network.addNode();
      await network.run(newcomer.kademlia.connect(nodes[0]!.address));
      await network.clock.advance(60_000);
      expect(newcomer.kademlia.table.size).toBe(6);
    });

    it('is not kept busy by a liar: whoever does not answer is no news', async () => {
      const network = new MemoryNetwork(54);
      network.init = { watchIntervals: { shortest: 2_000, longest: 32_000 } };
      const [watching, liar] = (await network.addServers(2)) as [MemoryNode, MemoryNode];
      let questions = 0;
      liar.transport.answerInstead = (request): Response | undefined => {
        if (request.type !== 'FIND_NODE') return undefined;
        questions++;
        return { type: 'FIND_NODE', closer: [createContact(network.random.bytes(32), ['/ip4/127.0.0.1/tcp/1'])] };
      };
      await network.clock.advance(620_000);
      expect(watching.kademlia.table.size).toBe(1);
      expect(questions).toBeGreaterThanOrEqual(15);
      expect(questions).toBeLessThanOrEqual(45);
    });

    it('is left to servers, and ends with the node', async () => {
      const network = new MemoryNetwork(52);
      network.init = {};
      const [server] = (await network.addServers(1)) as [MemoryNode];
      const client = await network.addNode({ mode: 'client' });
      await network.join(client, server);
      server.transport.received.length = 0;
      await network.clock.advance(300_000);
      expect(server.transport.received).toEqual([]);
      await network.run(client.kademlia.stop());
      await network.run(server.kademlia.stop());
      expect(network.clock.pendingTimers).toBe(0);
    });
  });

  describe('asked by liars', () => {
    it('counts only servers that answered themselves', async () => {
      const network = new MemoryNetwork(12);
      const nodes = await network.addServers(5);
      const [searcher, liar] = nodes as [MemoryNode, MemoryNode];
      const client = await network.addNode({ mode: 'client' });
      const invented = Array.from({ length: 10 }, () =>
        createContact(network.random.bytes(32), ['/ip4/127.0.0.1/tcp/1']),
      );
      const lie: Response = {
        type: 'FIND_NODE',
        closer: [searcher.kademlia.self, liar.kademlia.self, client.kademlia.self, ...invented],
      };
      liar.transport.answerInstead = (request) => (request.type === 'FIND_NODE' ? lie : undefined);
      const target = NodeId.fromBytes(network.random.bytes(32));
      const outcome = await network.run(searcher.kademlia.findClosest(target));
      expect(idsOf(outcome.closest)).toEqual(trueClosest(nodes, searcher, target));
      expect(searcher.kademlia.table.size).toBe(4);
    });

    it('does not fall over an answer that lists more than K', async () => {
      const network = new MemoryNetwork(13);
      const nodes = await network.addServers(4);
      const [searcher, liar] = nodes as [MemoryNode, MemoryNode];
      const closer = Array.from({ length: 50 }, () => createContact(network.random.bytes(32), []));
      liar.transport.answerInstead = () => ({ type: 'FIND_NODE', closer });
      const outcome = await network.run(searcher.kademlia.findClosest(liar.kademlia.self.id));
      expect(outcome.closest).toHaveLength(2);
    });

    it('never lists the asker', async () => {
      const network = new MemoryNetwork(14);
      const nodes = await network.addServers(3);
      const [asker, asked] = nodes as [MemoryNode, MemoryNode];
      const target = asker.kademlia.self.id.bytes;
      const { closer } = await network.run(asker.kademlia.request(asked.kademlia.self, { type: 'FIND_NODE', target }));
      expect(idsOf(closer)).toEqual([nodes[2]!.kademlia.self.id.hex]);
    });
  });

  describe('request', () => {
    it('turns error answers into errors with the same code', async () => {
      const network = new MemoryNetwork(15);
      const [a, b] = (await network.addServers(2)) as [MemoryNode, MemoryNode];
      for (const code of ['UNSUPPORTED', 'RESOURCE_EXHAUSTED', 'MALFORMED', 'INTERNAL'] as const) {
        b.transport.answerInstead = () => ({ type: 'ERROR', code });
        await expect(network.run(a.kademlia.ping(b.kademlia.self))).rejects.toMatchObject({ code });
      }
      b.transport.answerInstead = () => ({ type: 'FIND_NODE', closer: [] });
      await expect(network.run(a.kademlia.ping(b.kademlia.self))).rejects.toMatchObject({ code: 'MALFORMED' });
    });

    it('hands questions about records to their handler, with who asked', async () => {
      const network = new MemoryNetwork(16);
      const askers: string[] = [];
      const holder = await network.addNode({
        handler: {
          ...EMPTY_HANDED,
          findValue: async (from) => {
            askers.push(from.contact.id.hex);
            return { type: 'FIND_VALUE', closer: [], headers: [], value: undefined, settled: false, holder: true };
          },
        },
      });
      const asker = await network.addNode({ mode: 'client' });
      await network.run(asker.kademlia.connect(holder.address));
      const request = { type: 'FIND_VALUE', keyId: network.random.bytes(32), value: 'none' } as const;
      const response = await network.run(asker.kademlia.request(holder.kademlia.self, request));
      expect(response).toMatchObject({ type: 'FIND_VALUE', settled: false, holder: true });
      expect(askers).toEqual([asker.kademlia.self.id.hex]);
    });

    it('tells its own observer what it could not answer, and why; that it is busy is no news', async () => {
      const network = new MemoryNetwork(31);
      const events: NodeEvent[] = [];
      let failure: Error = new Error('the disk is gone');
      const holder = await network.addNode({
        observer: { notify: (event) => events.push(event) },
        handler: { ...EMPTY_HANDED, findValue: () => Promise.reject(failure) },
      });
      const asker = await network.addNode();
      await network.run(asker.kademlia.connect(holder.address));
      const request = { type: 'FIND_VALUE', keyId: network.random.bytes(32), value: 'none' } as const;
      const ask = () => network.run(asker.kademlia.request(holder.kademlia.self, request));
      const warnings = () => events.filter(({ type }) => type === 'warning');
      await expect(ask()).rejects.toThrow('the disk is gone');
      const message = 'a FIND_VALUE could not be answered: the disk is gone';
      expect(warnings()).toEqual([{ type: 'warning', code: 'REQUEST_FAILED', message }]);
      failure = new NautilusError('STORAGE_FAILED', 'the storage failed');
      await expect(ask()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      expect(warnings()).toHaveLength(2);
      failure = new NautilusError('RESOURCE_EXHAUSTED', 'busy');
      await expect(ask()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
      expect(warnings()).toHaveLength(2);
    });

    it('measures the round trip and notes when a contact was last seen', async () => {
      const network = new MemoryNetwork(17);
      network.latencyMs = 5;
      const [a, b] = (await network.addServers(2)) as [MemoryNode, MemoryNode];
      await network.clock.advance(1_000);
      const before = network.clock.now();
      expect(await network.run(a.kademlia.ping(b.kademlia.self))).toBe(10);
      expect(a.kademlia.rttMs(b.kademlia.self.id)).toBe(10);
      expect(a.kademlia.lastSeen(b.kademlia.self.id)).toBe(before + 10);
    });

    it('does not blame a contact for a deadline it could not meet', async () => {
      const network = new MemoryNetwork(18);
      network.latencyMs = 50;
      const [a, b] = (await network.addServers(2)) as [MemoryNode, MemoryNode];
      for (let i = 0; i < 3; i++) {
        const ping = a.kademlia.ping(b.kademlia.self, { timeoutMs: 10 });
        await expect(network.run(ping)).rejects.toMatchObject({ code: 'TIMEOUT' });
      }
      expect(a.kademlia.table.size).toBe(1);
    });

    it('never asks itself', async () => {
      const network = new MemoryNetwork(19);
      const { kademlia } = await network.addNode();
      await expect(kademlia.ping(kademlia.self)).rejects.toThrow('does not ask itself');
    });
  });

  describe('search', () => {
    it('hears contacts that keep no records, and does not count them', async () => {
      const network = new MemoryNetwork(20);
      const nodes = await network.addServers(6);
      const [searcher, forgetful] = nodes as [MemoryNode, MemoryNode];
      const target = NodeId.fromBytes(network.random.bytes(32));
      const asked: string[] = [];
      const outcome = await network.run(
        searcher.kademlia.search(target, async (contact) => {
          asked.push(contact.id.hex);
          return { closer: [], holder: !contact.id.equals(forgetful.kademlia.self.id) };
        }),
      );
      expect(new Set(asked).size).toBe(5);
      expect(outcome.closest).toHaveLength(4);
      expect(idsOf(outcome.closest)).not.toContain(forgetful.kademlia.self.id.hex);
    });

    it("ends with the caller's reason when the caller gives up, and passes it on", async () => {
      const network = new MemoryNetwork(21);
      const nodes = await network.addServers(3);
      const reasons: unknown[] = [];
      const controller = new AbortController();
      const search = nodes[0]!.kademlia.search(
        nodes[1]!.kademlia.self.id,
        (_, signal) =>
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason);
              reject(signal.reason);
            }),
          ),
        { signal: controller.signal },
      );
      await network.clock.advance(5);
      const reason = new NautilusError('ABORTED', 'enough');
      controller.abort(reason);
      await expect(search).rejects.toBe(reason);
      expect(reasons).toEqual([reason, reason]);
      await expect(
        nodes[0]!.kademlia.findClosest(nodes[1]!.kademlia.self.id, { signal: controller.signal }),
      ).rejects.toBe(reason);
    });

    it('ends with an error that no contact is to blame for, instead of taking it for a silence', async () => {
      const network = new MemoryNetwork(30);
      const nodes = await network.addServers(6);
      const before = network.clock.pendingTimers;
      const bug = new TypeError('the query has a bug');
      let asked = 0;
      const search = nodes[0]!.kademlia.search(NodeId.fromBytes(network.random.bytes(32)), async () => {
        asked++;
        if (asked === 2) throw bug;
        await network.delay(10);
        return { closer: [], holder: true };
      });
      await expect(network.run(search)).rejects.toBe(bug);
      expect(asked).toBe(5); // everybody: fewer than K are known
      await network.clock.advance(100);
      expect(asked).toBe(5);
      expect(network.clock.pendingTimers).toBe(before);
    });

    it('ends when it is enough, with who was not waited for, and asks nobody else', async () => {
      const network = new MemoryNetwork(31);
      const nodes = await network.addServers(40);
      const before = network.clock.pendingTimers;
      const target = NodeId.fromBytes(network.random.bytes(32));
      const searcher = nodes[0]!.kademlia;
      let asked = 0;
      const outcome = await network.run(
        searcher.search(
          target,
          async (contact) => {
            await network.delay(++asked);
            return { closer: searcher.closest(target, 20, contact.id), holder: true };
          },
          { isEnough: ({ closest, pending, silent }) => closest.length === 11 && pending.length === 9 && !silent[0] },
        ),
      );
      expect([outcome.closest.length, outcome.pending.length, outcome.complete]).toEqual([11, 9, false]);
      const members = [...outcome.closest, ...outcome.pending];
      expect(new Set(idsOf(members))).toEqual(new Set(idsOf(searcher.closest(target, 20))));
      expect(asked).toBe(outcome.requests);
      await network.clock.advance(100);
      expect(asked).toBe(outcome.requests);
      expect(network.clock.pendingTimers).toBe(before);
    });

    it('waits a hedge for the silent when it asks whether it is enough, later not at all, and counts them no more in the end', async () => {
      const network = new MemoryNetwork(32);
      const nodes = await network.addServers(6);
      const [searcher, hung] = nodes as [MemoryNode, MemoryNode];
      for (const contact of searcher.kademlia.contacts()) await network.run(searcher.kademlia.ping(contact));
      hung.transport.state = 'hung';
      const lookUp = async (): Promise<{ silent: string[]; elapsedMs: number }> => {
        const target = hung.kademlia.self.id;
        const options = { isEnough: ({ pending }: { pending: readonly unknown[] }) => pending.length === 0 };
        const { silent, elapsedMs } = await network.run(searcher.kademlia.findClosest(target, options));
        return { silent: idsOf(silent), elapsedMs };
      };
      const hex = hung.kademlia.self.id.hex;
      const first = await lookUp();
      expect(first.silent).toEqual([hex]);
      expect(first.elapsedMs).toBeLessThan(200);
      await network.clock.advance(4_000); // it has been given up since, and is no longer passed over
      const second = await lookUp();
      expect(second.silent).toEqual([hex]);
      expect(second.elapsedMs).toBeLessThan(20);
      await network.clock.advance(30_000);
      expect((await lookUp()).silent).toEqual([]);
    });

    it('leaves no timer behind', async () => {
      const network = new MemoryNetwork(22);
      const nodes = await network.addServers(4);
      const before = network.clock.pendingTimers;
      await network.run(nodes[0]!.kademlia.findClosest(NodeId.fromBytes(network.random.bytes(32))));
      expect(network.clock.pendingTimers).toBe(before);
    });
  });

  describe('stopping and starting', () => {
    it('ends what is running, cancels its timers and refuses more', async () => {
      const network = new MemoryNetwork(23);
      const nodes = await network.addServers(3);
      const [a, b] = nodes as [MemoryNode, MemoryNode];
      for (const node of nodes.slice(1)) node.transport.state = 'hung';
      const search = a.kademlia.findClosest(b.kademlia.self.id);
      const failure = expect(search).rejects.toMatchObject({ code: 'ABORTED' });
      await network.clock.advance(5);
      await network.run(a.kademlia.stop());
      await failure;
      await a.kademlia.stop();
      await expect(a.kademlia.findClosest(b.kademlia.self.id)).rejects.toMatchObject({ code: 'ABORTED' });
      for (const node of nodes.slice(1)) await network.run(node.kademlia.stop());
      expect(network.clock.pendingTimers).toBe(0);
    });

    it('remembers its table over a restart and needs nobody to introduce it again', async () => {
      const network = new MemoryNetwork(24);
      const nodes = await network.addServers(5);
      const state = memoryState();
      const publicKey = network.random.bytes(32);
      const before = await network.addNode({ publicKey, state });
      await network.join(before, nodes[0]!);
      await network.run(before.kademlia.stop());
      const after = await network.addNode({ publicKey, state });
      expect(after.kademlia.table.size).toBe(0);
      await network.run(after.kademlia.bootstrap());
      expect(after.kademlia.table.size).toBe(5);
    });

    it('starts with a damaged saved table as with none, and says so when it cannot save', async () => {
      const network = new MemoryNetwork(25);
      const events: NodeEvent[] = [];
      const state = memoryState();
      state.values.set('kademlia/table', Uint8Array.of(1, 2, 3));
      state.set = async () => {
        throw new NautilusError('DISK_FULL', 'no space left');
      };
      const { kademlia } = await network.addNode({ state, observer: { notify: (event) => events.push(event) } });
      expect(kademlia.contacts()).toEqual([]);
      await kademlia.stop();
      expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'DISK_FULL' }));
    });

    it('tells at once when its contacts are others than before', async () => {
      const network = new MemoryNetwork(48);
      const seen: string[][] = [];
      const watching: MemoryNode = await network.addNode({
        events: { onContactsChanged: () => seen.push(idsOf(watching.kademlia.neighbourhood().contacts)) },
      });
      const [first, second] = [await network.addNode(), await network.addNode()];
      await network.run(first.kademlia.connect(watching.address));
      await network.run(second.kademlia.connect(watching.address));
      await network.run(first.kademlia.ping(watching.kademlia.self));
      await network.run(first.kademlia.leave());
      second.transport.kill();
      await network.clock.advance(10_000);
      const [one, two] = idsOf([first.kademlia.self, second.kademlia.self]) as [string, string];
      // The last of them failed twice, but nobody else answered meanwhile: it is in doubt, and has its place still.
      expect(seen.map((ids) => ids.sort())).toEqual([[one], [one, two].sort(), [two], []]);
      expect(idsOf(watching.kademlia.contacts())).toEqual([two]);
    });

    it('tells the observer who comes and goes', async () => {
      const network = new MemoryNetwork(26);
      const events: NodeEvent[] = [];
      const watched = await network.addNode({ observer: { notify: (event) => events.push(event) } });
      const other = await network.addNode();
      const nodeId = other.kademlia.self.id.hex;
      await network.run(watched.kademlia.connect(other.address));
      await network.run(other.kademlia.stop());
      const seen = events.filter((event) => 'nodeId' in event);
      expect(seen).toEqual([
        { type: 'peer-connected', nodeId, mode: 'server' },
        { type: 'contact-added', nodeId },
        { type: 'peer-disconnected', nodeId },
      ]);
    });
  });
});
