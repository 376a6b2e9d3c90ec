import { describe, expect, it } from 'vitest';
import { SILENT_OBSERVER } from '../../../src/core/index.ts';
import { createContact, type Peer, type Request, type Response } from '../../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../../src/records/index.ts';
import { constantLatency, uniformLatency } from '../../../testnet/simulator/latency.ts';
import { NodeClock } from '../../../testnet/simulator/node-clock.ts';
import { SeededRandom } from '../../../testnet/simulator/seeded-random.ts';
import { VirtualClock } from '../../../testnet/simulator/virtual-clock.ts';
import { type NetworkConditions, VirtualNetwork } from '../../../testnet/simulator/virtual-network.ts';
import { VirtualTransport } from '../../../testnet/simulator/virtual-transport.ts';

const PING: Request = { type: 'PING' };
const OPTIONS = { timeoutMs: 1000 };

/** Bare transports whose owners answer every request with PING and write down what they see. */
async function createPair(
  conditions: Partial<NetworkConditions> = {},
  count = 2,
  networks: readonly string[] = [],
  maxConnections?: number,
) {
  const clock = new VirtualClock();
  const random = new SeededRandom('transport');
  const network = new VirtualNetwork(clock, random.fork('network'), { latency: constantLatency(10), ...conditions });
  const contacts = Array.from({ length: count }, (_, i) =>
    createContact(random.bytes(32), [`/ip4/10.0.0.${i}/tcp/4801`]),
  );
  const nodes = await Promise.all(
    contacts.map(async (self, number) => {
      const log: string[] = [];
      const constants = { ...DEFAULT_NETWORK_CONSTANTS, network: networks[number] ?? 'main' };
      const transport = new VirtualTransport(
        {
          network,
          clock: new NodeClock(clock),
          observer: SILENT_OBSERVER,
          identityAt: (endpoint) => contacts[endpoint.number]!,
        },
        { number, self, mode: 'server', constants, ...(maxConnections && { maxConnections }) },
      );
      const name = (peer: Peer) => contacts.findIndex(({ id }) => id.equals(peer.contact.id));
      let served = 0;
      await transport.start({
        onPeerConnected: (peer) => log.push(`connected ${name(peer)}`),
        onPeerChanged: (peer) => log.push(`changed ${name(peer)}`),
        onPeerDisconnected: (peer, cause) => log.push(`${cause === 'lost' ? 'lost' : 'disconnected'} ${name(peer)}`),
        onRequest: async (peer, request): Promise<Response> => {
          log.push(`${request.type} from ${name(peer)}`);
          return { type: 'PING', time: ++served };
        },
      });
      return { transport, self, log };
    }),
  );
  return { clock, network, nodes, a: nodes[0]!, b: nodes[1]! };
}

describe('VirtualTransport', () => {
  it('dials with HELLO both ways, then asks over the same connection', async () => {
    const { clock, network, a, b } = await createPair();
    expect(await clock.settle(a.transport.request(b.self, PING, OPTIONS))).toEqual({ type: 'PING', time: 1 });
    // 2 handshake round trips, HELLO there and back, request and answer: 4 round trips of 20 ms.
    expect(clock.monotonic()).toBe(80);
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    expect(clock.monotonic()).toBe(100);
    expect(network.traffic.dials).toBe(1);
    expect(a.log).toEqual(['connected 1']);
    expect(b.log).toEqual(['connected 0', 'PING from 0', 'PING from 0']);
    expect(a.transport.peers().map(({ direction, mode }) => [direction, mode])).toEqual([['outbound', 'server']]);
  });

  it('connects by address, and finds who is there', async () => {
    const { clock, network, a, b } = await createPair();
    const peer = await clock.settle(a.transport.connect('/ip4/10.0.0.1/tcp/4801/p2p/12D3KooWanybody', OPTIONS));
    expect(peer.contact.id.equals(b.self.id)).toBe(true);
    await clock.settle(b.transport.connect('/ip4/10.0.0.0/tcp/4801', OPTIONS));
    expect(network.traffic.dials).toBe(1);
  });

  it('is refused at once by a dead node, and nobody answers at an address without a machine', async () => {
    const { clock, network, a, b } = await createPair();
    network.kill(b.transport.endpoint);
    const refused = expect(a.transport.request(b.self, PING, OPTIONS)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    await clock.settle(refused);
    expect(clock.monotonic()).toBe(20);
    const stranger = a.transport.connect('/ip4/10.9.9.9/tcp/1', OPTIONS);
    await clock.settle(expect(stranger).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' }));
  });

  it('hears nothing from a paused node, which serves everything when it goes on', async () => {
    const { clock, network, a, b } = await createPair();
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    network.pause(b.transport.endpoint);
    const start = clock.monotonic();
    await clock.settle(expect(a.transport.request(b.self, PING, OPTIONS)).rejects.toMatchObject({ code: 'TIMEOUT' }));
    expect(clock.monotonic() - start).toBe(1000);
    expect(b.log).toEqual(['connected 0', 'PING from 0']);
    network.resume(b.transport.endpoint);
    await clock.run();
    expect(b.log).toEqual(['connected 0', 'PING from 0', 'PING from 0']);
    expect(await clock.settle(a.transport.request(b.self, PING, OPTIONS))).toEqual({ type: 'PING', time: 3 });
  });

  it('tells the peers of a killed node, and fails what waits for it', async () => {
    const { clock, network, a, b } = await createPair();
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    const pending = expect(a.transport.request(b.self, PING, OPTIONS)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    network.kill(b.transport.endpoint);
    await clock.settle(pending);
    expect(a.log).toEqual(['connected 1', 'lost 1']);
    expect(a.transport.peer(b.self.id)).toBeUndefined();
    expect(b.log).toEqual(['connected 0', 'PING from 0']);
  });

  it('tells the peers of a node that stops that it closed the connection', async () => {
    const { clock, a, b } = await createPair();
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    await b.transport.stop();
    await clock.run();
    expect(a.log).toEqual(['connected 1', 'disconnected 1']);
  });

  it('loses no request and keeps one connection when both dial at once, whatever the delays (200 pairs)', async () => {
    const { clock, nodes } = await createPair({ latency: uniformLatency(1, 40) }, 400);
    const requests: Promise<Response>[] = [];
    for (let i = 0; i < nodes.length; i += 2) {
      const [x, y] = [nodes[i]!, nodes[i + 1]!];
      // Starts up to 60 ms apart; every fourth side knows only the address.
      const ask = (from: typeof x, to: typeof x, byAddress: boolean) => async () => {
        if (byAddress) await from.transport.connect(to.self.addresses[0]!, OPTIONS);
        return from.transport.request(to.self, PING, OPTIONS);
      };
      requests.push(ask(x, y, i % 8 === 0)());
      requests.push(
        new Promise((resolve, reject) => {
          clock.setTimer((i * 7) % 60, () => ask(y, x, i % 8 === 4)().then(resolve, reject));
        }),
      );
    }
    const answers = await clock.settle(Promise.all(requests));
    expect(answers.every(({ type }) => type === 'PING')).toBe(true);
    await clock.run();
    for (const { transport, log } of nodes) {
      expect(transport.endpoint.links.size).toBe(1);
      expect(transport.peers()).toHaveLength(1);
      expect(log[0]).toMatch(/^connected/);
      expect(log.filter((line) => line.startsWith('connected')).length).toBe(
        log.filter((line) => line.startsWith('disconnected')).length + 1,
      );
    }
  });

  it('times out when frames are lost, and serves a duplicate without answering the caller twice', async () => {
    const { clock, network, a, b } = await createPair();
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    network.conditions.duplicationRate = 1;
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    await clock.run();
    expect(b.log.filter((line) => line === 'PING from 0')).toHaveLength(3);
    network.conditions.lossRate = 1;
    await clock.settle(expect(a.transport.request(b.self, PING, OPTIONS)).rejects.toMatchObject({ code: 'TIMEOUT' }));
    expect(network.traffic.dropped.lost).toBe(1);
  });

  it('hears nothing across a partition and everything after it healed', async () => {
    const { clock, network, a, b } = await createPair();
    await clock.settle(a.transport.request(b.self, PING, OPTIONS));
    network.partition([[0], [1]]);
    await clock.settle(expect(a.transport.request(b.self, PING, OPTIONS)).rejects.toMatchObject({ code: 'TIMEOUT' }));
    expect(a.transport.peer(b.self.id)).toBeDefined();
    network.heal();
    expect((await clock.settle(a.transport.request(b.self, PING, OPTIONS))).type).toBe('PING');
  });

  it('frees what an aborted request held, and gives up a dial nobody wants', async () => {
    const { clock, network, a, b } = await createPair();
    network.partition([[0], [1]]);
    const controller = new AbortController();
    clock.setTimer(5, () => controller.abort());
    const request = a.transport.request(b.self, PING, { timeoutMs: 1e9, signal: controller.signal });
    await clock.settle(expect(request).rejects.toMatchObject({ code: 'ABORTED' }));
    expect(clock.monotonic()).toBe(5);
    expect(a.transport.endpoint.links.size).toBe(0);
    expect(clock.pendingEvents).toBe(0);
  });

  it('refuses a peer of another network and another identity at a known address', async () => {
    const { clock, a, b, nodes } = await createPair({}, 3, ['main', 'other', 'main']);
    const mismatch = a.transport.request(b.self, PING, OPTIONS);
    await clock.settle(expect(mismatch).rejects.toMatchObject({ code: 'NETWORK_MISMATCH' }));
    const stranger = { ...b.self, addresses: nodes[2]!.self.addresses };
    await clock.settle(
      expect(a.transport.request(stranger, PING, OPTIONS)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' }),
    );
    await clock.run();
    expect(nodes.map(({ transport }) => transport.peers().length)).toEqual([0, 0, 0]);
  });

  it('bounds the requests that wait for one peer', async () => {
    const { clock, a, b } = await createPair();
    const outcomes = Promise.allSettled(Array.from({ length: 300 }, () => a.transport.request(b.self, PING, OPTIONS)));
    const refused = (await clock.settle(outcomes)).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(300 - 256);
    expect(refused[0]).toMatchObject({ reason: { code: 'RESOURCE_EXHAUSTED' } });
  });

  it('closes the idle connection that was not used for longest when it has too many', async () => {
    const { clock, a, nodes } = await createPair({}, 5, [], 2);
    const ask = (n: number) => clock.settle(a.transport.request(nodes[n]!.self, PING, OPTIONS));
    for (const n of [1, 2, 1, 3]) await ask(n);
    await clock.run();
    expect(a.log.filter((line) => line.startsWith('disconnected'))).toEqual(['disconnected 2']);
    expect(nodes[2]!.transport.peers()).toEqual([]);
    await ask(4);
    await clock.run();
    expect(a.log.filter((line) => line.startsWith('disconnected'))).toEqual(['disconnected 2', 'disconnected 1']);
  });

  it('asks again over a new connection when the peer closed the old one before the question came', async () => {
    const { clock, nodes } = await createPair({}, 4, [], 2);
    const [hub, ...others] = nodes;
    const asking = others.map(({ transport }) => transport.request(hub!.self, PING, OPTIONS));
    expect((await clock.settle(Promise.all(asking))).map(({ type }) => type)).toEqual(['PING', 'PING', 'PING']);
    expect(hub!.log.filter((line) => line.startsWith('disconnected'))).not.toEqual([]);
    expect(hub!.log.filter((line) => line.startsWith('PING'))).toHaveLength(3);
  });

  it('closes no connection that somebody waits on', async () => {
    const { clock, network, a, nodes } = await createPair({}, 4, [], 2);
    const ask = (n: number, timeoutMs: number) => a.transport.request(nodes[n]!.self, PING, { timeoutMs });
    for (const n of [1, 2]) await clock.settle(ask(n, 1_000));
    network.pause(nodes[1]!.transport.endpoint);
    const waiting = expect(ask(1, 5_000)).resolves.toMatchObject({ type: 'PING' });
    await clock.settle(ask(2, 1_000));
    await clock.settle(ask(3, 1_000));
    expect(a.log.filter((line) => line.startsWith('disconnected'))).toEqual(['disconnected 2']);
    network.resume(nodes[1]!.transport.endpoint);
    await clock.settle(waiting);
  });
});
