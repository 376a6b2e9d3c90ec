import { describe, expect, it } from 'vitest';
import { constantLatency, SeededRandom, uniformLatency } from '../../../testnet/simulator/index.ts';
import { VirtualClock } from '../../../testnet/simulator/virtual-clock.ts';
import type { Endpoint, Link } from '../../../testnet/simulator/virtual-link.ts';
import { type NetworkConditions, VirtualNetwork } from '../../../testnet/simulator/virtual-network.ts';

const HELLO = new Uint8Array(20);
const frame = (bytes: number) => new Uint8Array(bytes);

/** Bare machines that write down what reaches them, and when. */
function createNetwork(conditions: Partial<NetworkConditions> = {}) {
  const clock = new VirtualClock();
  const network = new VirtualNetwork(clock, new SeededRandom('network'), {
    latency: constantLatency(10),
    handshakeRoundTrips: 0,
    ...conditions,
  });
  const machine = (number: number) => {
    const log: string[] = [];
    const note = (text: string) => void log.push(`${clock.monotonic()} ${text}`);
    const links: Link[] = [];
    const buffers: number[] = [];
    const endpoint: Endpoint = network.attach(number, `address ${number}`, {
      onFrame: (link, bytes) => {
        links.push(link);
        buffers.push(bytes.buffer.byteLength);
        note(`${bytes.length} bytes`);
      },
      onLinkClosed: (_link, cause) => note(cause),
    });
    return { endpoint, log, links, buffers };
  };
  return { clock, network, machine };
}

/** Two machines, the first of which has dialled the second. */
async function createLink(conditions: Partial<NetworkConditions> = {}) {
  const { clock, network, machine } = createNetwork();
  const [a, b] = [machine(0), machine(1)];
  const link = network.dial(a.endpoint, b.endpoint.address, HELLO);
  await clock.run();
  b.log.length = 0;
  Object.assign(network.conditions, conditions);
  const send = (from: typeof a, bytes: number) => network.send(link, from.endpoint, frame(bytes), 'PING');
  return { clock, network, machine, a, b, link, send };
}

it('keeps of a short frame under way its own bytes, not the buffer it shares', async () => {
  const { clock, network, machine } = createNetwork();
  const [a, b] = [machine(0), machine(1)];
  const shared = new Uint8Array(8_192);
  const link = network.dial(a.endpoint, b.endpoint.address, shared.subarray(0, 20));
  await clock.run();
  network.send(link, a.endpoint, shared.subarray(20, 120), 'PING');
  network.send(link, a.endpoint, shared.subarray(120), 'PING');
  await clock.run();
  expect(b.buffers).toEqual([20, 100, 8_192]);
});

describe('the end of a machine', () => {
  it('tells the other end whether a connection was closed or lost', async () => {
    const closed = await createLink();
    closed.network.close(closed.link, closed.b.endpoint);
    closed.network.kill(closed.b.endpoint);
    await closed.clock.run();
    expect(closed.a.log).toEqual(['20 closed']);

    const lost = await createLink();
    lost.network.kill(lost.b.endpoint);
    await lost.clock.run();
    expect(lost.a.log).toEqual(['20 lost']);
  });

  it.each(['kill', 'vanish'] as const)('lets go of the process, which others would keep alive: %s', async (end) => {
    const { network, a, b, link } = await createLink();
    link.setSession(a.endpoint, 'session of a');
    link.setSession(b.endpoint, 'session of b');
    network[end](b.endpoint);
    expect(b.endpoint.handler).toBeUndefined();
    expect([link.sessionOf(a.endpoint), link.sessionOf(b.endpoint)]).toEqual(['session of a', undefined]);
  });

  it('refuses dials to a killed process, and frames that were on their way to it', async () => {
    const { clock, network, a, b, send } = await createLink();
    send(a, 50);
    network.kill(b.endpoint);
    network.dial(a.endpoint, b.endpoint.address, HELLO);
    await clock.run();
    expect(a.log).toEqual(['20 lost', '30 closed']);
    expect(network.traffic.dropped).toMatchObject({ refused: 1, vanished: 0 });
  });

  it('says nothing when a machine vanishes, until the other ends give up after a quarter of an hour', async () => {
    const { clock, network, a, b, send } = await createLink();
    send(a, 50);
    network.vanish(b.endpoint);
    send(a, 60);
    network.dial(a.endpoint, b.endpoint.address, HELLO);
    await clock.run({ untilMs: 900_000 });
    expect([...a.log, ...b.log]).toEqual([]);
    expect(a.endpoint.links.size).toBe(2); // the dial is given up by who made it
    expect(network.traffic.dropped).toMatchObject({ refused: 0, vanished: 3 });
    await clock.run();
    expect(a.log).toEqual(['924610 lost']);
    expect(a.endpoint.links.size).toBe(1);
  });

  it('resets old connections to a vanished machine once it runs again, and takes new ones', async () => {
    const { clock, network, machine, a, b, send } = await createLink();
    network.vanish(b.endpoint);
    const revived = machine(1);
    send(a, 50);
    network.dial(a.endpoint, b.endpoint.address, HELLO);
    await clock.run();
    expect(a.log).toEqual(['30 lost']);
    expect(revived.log).toEqual(['20 20 bytes']);
  });
});

describe('conditions', () => {
  it('are switched while the world runs: order, doubles and losses begin and end at once', async () => {
    const { clock, network, a, b, send } = await createLink();
    const sizes = Array.from({ length: 20 }, (_, i) => i + 1);
    const received = async () => {
      b.log.length = 0;
      for (const size of sizes) send(a, size);
      await clock.run();
      return b.log.map((line) => Number(line.split(' ')[1]));
    };
    expect(await received()).toEqual(sizes);
    network.conditions.latency = uniformLatency(1, 50);
    const shuffled = await received();
    expect(shuffled).not.toEqual(sizes);
    expect(shuffled.toSorted((x, y) => x - y)).toEqual(sizes);
    network.conditions.latency = constantLatency(10);
    network.conditions.duplicationRate = 1;
    expect(await received()).toEqual(sizes.flatMap((size) => [size, size]));
    network.conditions.duplicationRate = 0;
    network.conditions.lossRate = 1;
    expect(await received()).toEqual([]);
    network.conditions.lossRate = 0;
    expect(await received()).toEqual(sizes);
  });
});
