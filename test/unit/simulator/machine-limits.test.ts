import { describe, expect, it } from 'vitest';
import { Bottleneck } from '../../../testnet/simulator/bottleneck.ts';
import { constantLatency, SeededRandom } from '../../../testnet/simulator/index.ts';
import type { MachineLimits } from '../../../testnet/simulator/machine-limits.ts';
import { VirtualClock } from '../../../testnet/simulator/virtual-clock.ts';
import { VirtualNetwork } from '../../../testnet/simulator/virtual-network.ts';

describe('Bottleneck', () => {
  it('does one thing after the other, and nothing waits for what is done', () => {
    const bottleneck = new Bottleneck();
    expect([bottleneck.enter(0, 10, 100), bottleneck.enter(0, 10, 100), bottleneck.enter(5, 10, 100)]).toEqual([
      10, 20, 25,
    ]);
    expect(bottleneck.waitMs(25)).toBe(5);
    expect(bottleneck.waitMs(99)).toBe(0);
    expect(bottleneck.enter(99, 10, 100)).toBe(10);
  });

  it('turns away what finds no room, but never a single piece that is larger than the room', () => {
    const bottleneck = new Bottleneck();
    expect(bottleneck.enter(0, 150, 100)).toBe(150);
    expect(bottleneck.enter(0, 1, 100)).toBeUndefined();
    expect(bottleneck.enter(60, 10, 100)).toBe(100);
    expect(bottleneck.enter(60, 1, 100)).toBeUndefined();
  });
});

/** A machine with limits (0) that is connected with one without (1), 10 ms apart. */
async function createPair(limits: MachineLimits) {
  const clock = new VirtualClock();
  const network = new VirtualNetwork(clock, new SeededRandom('limits'), {
    latency: constantLatency(10),
    handshakeRoundTrips: 0,
  });
  const machine = (number: number) => {
    const arrivals: number[] = [];
    const endpoint = network.attach(number, `address ${number}`, {
      onFrame: () => void arrivals.push(clock.monotonic() - start),
      onLinkClosed: (_link, cause) => void ends.push(`${clock.monotonic() - start} ${cause}`),
    });
    return { endpoint, arrivals };
  };
  const ends: string[] = [];
  let start = 0;
  const [a, b] = [machine(0), machine(1)];
  const link = network.dial(a.endpoint, b.endpoint.address, new Uint8Array(20));
  await clock.run();
  b.arrivals.length = 0;
  start = clock.monotonic();
  network.conditions.limitsOf = (number) => (number === 0 ? limits : undefined);
  /** Sends so many frames of 1000 bytes at once. */
  const send = (from: typeof a, frames: number) => {
    for (let i = 0; i < frames; i++) network.send(link, from.endpoint, new Uint8Array(1000), 'PING');
  };
  return { clock, network, link, a, b, send, ends };
}

describe('a machine with limits', () => {
  it('sends at the speed of its upload, whatever the receiver could take', async () => {
    const { clock, a, b, send } = await createPair({ uploadBytesPerSecond: 100_000 });
    send(a, 3);
    send(b, 3);
    await clock.run();
    expect(b.arrivals).toEqual([20, 30, 40]);
    expect(a.arrivals).toEqual([10, 10, 10]);
  });

  it('receives at the speed of its download', async () => {
    const { clock, a, b, send } = await createPair({ downloadBytesPerSecond: 100_000 });
    send(a, 3);
    send(b, 3);
    await clock.run();
    expect(a.arrivals).toEqual([20, 30, 40]);
    expect(b.arrivals).toEqual([10, 10, 10]);
  });

  it('takes its time over each frame', async () => {
    const { clock, a, b, send } = await createPair({ serviceMs: 4 });
    send(b, 3);
    await clock.run();
    expect(a.arrivals).toEqual([14, 18, 22]);
  });

  it('drops and counts what finds a queue full, and takes more once there is room', async () => {
    const narrow = await createPair({ uploadBytesPerSecond: 100_000, queueBytes: 2500 });
    narrow.send(narrow.a, 5);
    await narrow.clock.run();
    narrow.send(narrow.a, 1);
    await narrow.clock.run();
    expect(narrow.b.arrivals).toEqual([20, 30, 50]);
    expect(narrow.network.traffic.dropped).toMatchObject({ congested: 3, overloaded: 0 });

    const slow = await createPair({ serviceMs: 4, queueFrames: 2 });
    slow.send(slow.b, 5);
    await slow.clock.run();
    expect(slow.a.arrivals).toEqual([14, 18]);
    expect(slow.network.traffic.dropped).toMatchObject({ congested: 0, overloaded: 3 });
  });

  it('lets the end of a connection overtake none of its frames', async () => {
    const { clock, network, link, a, b, send, ends } = await createPair({
      uploadBytesPerSecond: 100_000,
      downloadBytesPerSecond: 50_000,
      serviceMs: 7,
    });
    send(a, 3);
    network.close(link, a.endpoint);
    await clock.run();
    expect(b.arrivals).toEqual([20, 30, 40]);
    expect(ends).toEqual(['40 closed']);

    const other = await createPair({ downloadBytesPerSecond: 50_000, serviceMs: 7 });
    other.send(other.b, 2);
    other.network.kill(other.b.endpoint);
    await other.clock.run();
    expect(other.a.arrivals).toEqual([37, 57]);
    expect(other.ends).toEqual(['57 lost']);
  });

  it('serves what waited once it goes on after a pause, and nothing after its death', async () => {
    const { clock, network, a, b, send } = await createPair({ serviceMs: 4 });
    send(b, 2);
    await clock.run({ untilMs: clock.monotonic() + 15 });
    network.pause(a.endpoint);
    await clock.run({ untilMs: clock.monotonic() + 85 });
    expect(a.arrivals).toEqual([14]);
    network.resume(a.endpoint);
    await clock.run();
    expect(a.arrivals).toEqual([14, 100]);
    send(b, 2);
    await clock.run({ untilMs: clock.monotonic() + 12 });
    network.kill(a.endpoint);
    await clock.run();
    expect(a.arrivals).toEqual([14, 100]);
  });

  it('is rid of them as soon as the condition is switched off', async () => {
    const { clock, network, a, b, send } = await createPair({ uploadBytesPerSecond: 1 });
    network.conditions.limitsOf = undefined;
    send(a, 2);
    await clock.run();
    expect(b.arrivals).toEqual([10, 10]);
  });
});
