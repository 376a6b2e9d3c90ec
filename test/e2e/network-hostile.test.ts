import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createContact,
  encodeHello,
  encodeRequest,
  encodeResponse,
  MAX_FRAME_BYTES,
  type Response,
} from '../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../src/records/index.ts';
import { closed, framed, HELLO, HostilePeer, lengthPrefix } from './network-hostile-peer.ts';
import { misbehaviour, type TestNode, TestNodes } from './network-nodes.ts';

const SOON = { timeoutMs: 10_000 };
const PING = { type: 'PING' } as const;
const FIND_NODE = { type: 'FIND_NODE', target: new Uint8Array(32) } as const;

describe('a hostile peer', () => {
  const nodes = new TestNodes();
  const peers: HostilePeer[] = [];
  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.stop()));
    await nodes.stop();
  });

  async function hostile(...args: Parameters<typeof HostilePeer.start>): Promise<HostilePeer> {
    const peer = await HostilePeer.start(...args);
    peers.push(peer);
    return peer;
  }

  /** The node still serves an honest peer. */
  async function expectUnharmed(node: TestNode): Promise<void> {
    const honest = await nodes.start();
    expect(await honest.transport.request(node.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
  }

  const malformed: [name: string, bytes: Uint8Array, reason: string][] = [
    ['random bytes', framed(randomBytes(100)), 'not a frame'],
    ['a frame over the limit', lengthPrefix(MAX_FRAME_BYTES + 1), 'frame too large'],
    ['a length of 1 GB', lengthPrefix(1_000_000_000), 'frame too large'],
    ['an empty frame', framed(new Uint8Array(0)), 'not a frame'],
  ];
  for (const [name, bytes, reason] of malformed) {
    it(`loses its stream, counted, for ${name}, and can open another on the same connection`, async () => {
      const node = await nodes.start();
      const peer = await hostile();
      const stream = await peer.greet(node);
      stream.send(bytes);
      await closed(stream);
      await node.until(() => node.disconnected.length === 1);
      expect(misbehaviour(node)).toEqual([reason]);
      expect(peer.libp2p.getConnections().map(({ status }) => status)).toEqual(['open']);
      const again = await peer.open(node);
      again.send(framed(encodeHello(HELLO)));
      await node.until(() => node.connected.length === 2);
      await expectUnharmed(node);
    });
  }

  it('that says HELLO again is the same peer: changed when it says something else, and not connected anew', async () => {
    const node = await nodes.start();
    const peer = await hostile();
    const stream = await peer.greet(node);
    stream.send(framed(encodeHello(HELLO)));
    stream.send(framed(encodeHello({ ...HELLO, mode: 'bootstrap' })));
    await node.until(() => node.changes.length > 0);
    expect(node.connected.map(({ mode }) => mode)).toEqual(['client']);
    expect(node.changes.map(({ mode }) => mode)).toEqual(['bootstrap']);
    expect(node.transport.peer(node.changes[0]!.contact.id)).toBe(node.changes[0]);
    expect(node.disconnected).toEqual([]);
  });

  it('that says anything before HELLO, or says it wrong, loses its stream', async () => {
    const node = await nodes.start();
    const peer = await hostile();
    for (const bytes of [framed(encodeRequest(1, PING)), framed(randomBytes(50)), lengthPrefix(0xffff_ffff)]) {
      const stream = await peer.open(node);
      stream.send(bytes);
      await closed(stream);
    }
    expect(misbehaviour(node)).toEqual(['no hello', 'not a frame', 'frame too large']);
    expect(node.connected).toEqual([]);
    await expectUnharmed(node);
  });

  it('with other constants hears ours before it is closed', async () => {
    const node = await nodes.start();
    const peer = await hostile();
    const stream = await peer.open(node);
    let heard = 0;
    stream.addEventListener('message', ({ data }) => {
      heard += data.byteLength;
    });
    stream.send(framed(encodeHello({ ...HELLO, constants: { ...DEFAULT_NETWORK_CONSTANTS, k: 3 } })));
    await closed(stream);
    expect(heard).toBeGreaterThan(20);
    expect(node.connected).toEqual([]);
  });

  it('that stays silent before HELLO, or in the middle of a frame, is not waited for', async () => {
    const node = await nodes.start({ limits: { patienceMs: 200 } });
    const [mute, slow] = await Promise.all([hostile(), hostile()]);
    const silent = await mute.open(node);
    const half = await slow.greet(node);
    half.send(lengthPrefix(1000));
    half.send(randomBytes(10));
    await Promise.all([closed(silent), closed(half)]);
    expect(misbehaviour(node).sort()).toEqual(['half a frame', 'no hello']);
    await expectUnharmed(node);
  });

  it('that opens connections and no streams loses them', async () => {
    const node = await nodes.start({ limits: { patienceMs: 200 } });
    const peer = await hostile();
    const { multiaddr } = await import('@multiformats/multiaddr');
    const connection = await peer.libp2p.dial(multiaddr(node.address));
    await new Promise<void>((resolve) => {
      connection.addEventListener('close', () => resolve());
    });
    expect(node.transport.libp2p.getConnections()).toEqual([]);
  });

  it('that writes garbage to the port harms nobody', async () => {
    const node = await nodes.start();
    const port = Number(node.address.split('/').at(-1));
    await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) =>
          new Promise<void>((resolve) => {
            const socket = connect(port, '127.0.0.1', () => socket.end(randomBytes(10 ** (i % 6))));
            socket
              .on('error', () => undefined)
              .on('close', () => resolve())
              .resume();
          }),
      ),
    );
    await expectUnharmed(node);
  });

  it('that answers nothing after HELLO costs its callers their timeout and nobody else', async () => {
    const node = await nodes.start();
    const peer = await hostile((stream) => stream.send(framed(encodeHello(HELLO))));
    const [address] = peer.libp2p.getMultiaddrs();
    const { contact } = await node.transport.connect(String(address), SOON);
    const waiting = expect(node.transport.request(contact, PING, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    await expectUnharmed(node);
    await waiting;
  });

  it('that accepts and never says HELLO costs its callers their timeout', async () => {
    const node = await nodes.start();
    const peer = await hostile(() => undefined);
    const [address] = peer.libp2p.getMultiaddrs();
    await expect(node.transport.connect(String(address), { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    await expectUnharmed(node);
  });

  it('that invents answers, or answers with another type, gets nowhere', async () => {
    const node = await nodes.start();
    const peer = await hostile();
    const stream = await peer.greet(node);
    stream.send(
      framed(...Array.from({ length: 1000 }, (_, id) => encodeResponse(500 + id, { type: 'PING', time: 0 }))),
    );
    stream.addEventListener('message', () => {
      if (stream.writeStatus === 'writable') stream.send(framed(encodeResponse(1, { type: 'FIND_NODE', closer: [] })));
    });
    const { contact } = node.transport.peers()[0]!;
    await expect(node.transport.request(contact, PING, SOON)).rejects.toMatchObject({ code: 'MALFORMED' });
    expect(misbehaviour(node)).toEqual(['answer of another type']);
  });

  it('that floods with requests gets its share, and others are served meanwhile', async () => {
    const node = await nodes.start();
    const honest = await nodes.start();
    await honest.transport.request(node.transport.self, PING, SOON);
    let most = 0;
    let serving = 0;
    let flooded = 0;
    const { serve } = node;
    node.serve = async (from, request) => {
      if (from.mode !== 'client') return serve(from, request);
      flooded++;
      most = Math.max(most, ++serving);
      await new Promise((resolve) => setImmediate(resolve));
      serving--;
      return serve(from, request);
    };
    const peer = await hostile();
    const stream = await peer.greet(node);
    const flood = framed(...Array.from({ length: 1000 }, (_, id) => encodeRequest(id, PING)));
    for (let i = 0; i < 50; i++) stream.send(flood);
    for (let i = 0; i < 50; i++) await honest.transport.request(node.transport.self, PING, SOON);
    expect(flooded).toBeLessThan(50_000); // the honest requests did not queue behind the flood
    await eventually(() => flooded === 50_000);
    expect(most).toBeLessThanOrEqual(512);
    expect(misbehaviour(node)).toEqual([]);
  });

  it('that never reads its answers is no longer read itself', async () => {
    const node = await nodes.start();
    const peer = await hostile();
    const stream = await peer.greet(node);
    let served = 0;
    const { serve } = node;
    node.serve = async (from, request) => {
      if (from.mode !== 'client') return serve(from, request);
      served++;
      return manyContacts();
    };
    stream.pause();
    const flood = framed(...Array.from({ length: 1000 }, (_, id) => encodeRequest(id, FIND_NODE)));
    for (let i = 0; i < 20; i++) stream.send(flood);
    await expectUnharmed(node);
    let before: number;
    do {
      before = served;
      await expectUnharmed(node);
    } while (served > before);
    expect(served).toBeLessThan(10_000);
    stream.addEventListener('message', () => undefined);
    stream.resume();
    await eventually(() => served === 20_000);
  });

  it('gets answers up to its budget of bytes, then RESOURCE_EXHAUSTED', async () => {
    const node = await nodes.start({ limits: { answerBytesPerSecond: 20_000 } });
    node.serve = async () => manyContacts();
    const greedy = await nodes.start();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, () => greedy.transport.request(node.transport.self, FIND_NODE, SOON)),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.length).toBeLessThan(200);
    expect(new Set(refused.map(({ reason }) => reason.code))).toEqual(new Set(['RESOURCE_EXHAUSTED']));
  });

  it('leaves at most 50 MB behind after 10,000 hostile frames', { timeout: 60_000 }, async () => {
    const node = await nodes.start();
    const peer = await hostile();
    const attack = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const stream = await peer.open(node);
        stream.send(framed(encodeHello(HELLO)));
        stream.send(i % 2 === 0 ? framed(randomBytes(1000)) : lengthPrefix(2 ** 30));
        await closed(stream);
      }
    };
    const frames = framed(...Array.from({ length: 9_800 }, (_, id) => encodeResponse(id, { type: 'PING', time: 0 })));
    await attack(40);
    const before = residentAfterCollection();
    const stream = await peer.open(node);
    stream.send(framed(encodeHello(HELLO)));
    stream.send(frames);
    await attack(160);
    expect((residentAfterCollection() - before) / 2 ** 20).toBeLessThan(50);
    expect(misbehaviour(node).length).toBe(200);
    await expectUnharmed(node);
  });
});

/** Attacker and node share this process: garbage of both is no growth. */
function residentAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().rss;
}

/** About 0.9 kB. */
function manyContacts(): Response {
  const closer = Array.from({ length: 20 }, (_, i) =>
    createContact(new Uint8Array(32).fill(i), ['/ip4/127.0.0.1/tcp/1']),
  );
  return { type: 'FIND_NODE', closer };
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
