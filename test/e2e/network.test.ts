import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NautilusError } from '../../src/core/index.ts';
import { createContact, type Response } from '../../src/kademlia/index.ts';
import { publicKeyOf } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, toPeerIdText } from '../../src/records/index.ts';
import { aHeader } from '../support/records.ts';
import { answerShortly, misbehaviour, type TestNode, TestNodes } from './network-nodes.ts';

const SOON = { timeoutMs: 10_000 };
const PING = { type: 'PING' } as const;
const FIND_NODE = { type: 'FIND_NODE', target: new Uint8Array(32) } as const;

describe('a transport over libp2p', () => {
  const nodes = new TestNodes();
  afterEach(() => nodes.stop());

  const startTwo = () => Promise.all([nodes.start(), nodes.start()]);
  const peerIdOf = ({ transport }: TestNode) => toPeerIdText(transport.self.publicKey);
  const connectionsOf = ({ transport }: TestNode) => transport.libp2p.getConnections().length;

  it('dials a contact when the first request needs it, and uses the connection both ways', async () => {
    const [a, b] = await startTwo();
    expect(await a.transport.request(b.transport.self, PING, SOON)).toEqual({ type: 'PING', time: 1 });
    expect(a.connected).toMatchObject([{ contact: b.transport.self, mode: 'server', direction: 'outbound' }]);
    expect(b.connected).toMatchObject([{ contact: a.transport.self, mode: 'server', direction: 'inbound' }]);
    expect(await b.transport.request(a.transport.self, PING, SOON)).toEqual({ type: 'PING', time: 1 });
    expect([connectionsOf(a), connectionsOf(b)]).toEqual([1, 1]);
    expect([...misbehaviour(a), ...misbehaviour(b)]).toEqual([]);
  });

  it('joins requests to one peer in one dial, and carries a thousand at once', async () => {
    const [a, b] = await startTwo();
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => a.transport.request(b.transport.self, FIND_NODE, SOON)),
    );
    expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['FIND_NODE']));
    expect(connectionsOf(b)).toBe(1);
  });

  it('moves megabytes both ways at once, far beyond the window of a stream', async () => {
    const [a, b] = await startTwo();
    const record = { header: aHeader(), value: new Uint8Array(60_000).fill(7) };
    let received = 0;
    for (const node of [a, b]) {
      node.serve = async (from, request) => {
        if (request.type === 'STORE') received += request.record.value?.length ?? 0;
        return answerShortly(from, request);
      };
    }
    const work = [a, b].flatMap((from) => {
      const to = from === a ? b : a;
      return Array.from({ length: 60 }, () =>
        from.transport.request(to.transport.self, { type: 'STORE', record }, SOON),
      );
    });
    expect((await Promise.all(work)).every(({ type }) => type === 'STORE')).toBe(true);
    expect(received).toBe(120 * 60_000);
  });

  it('refuses a request too many for one peer, and has forgotten nothing afterwards', async () => {
    const a = await nodes.start({ limits: { maxInFlight: 10 } });
    const b = await nodes.start();
    await a.transport.request(b.transport.self, PING, SOON);
    const results = await Promise.allSettled(
      Array.from({ length: 11 }, () => a.transport.request(b.transport.self, PING, SOON)),
    );
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed.map(({ reason }) => reason)).toMatchObject([{ code: 'RESOURCE_EXHAUSTED' }]);
    expect(await a.transport.request(b.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
  });

  it('connects to an address with and without a peer id, and again without dialling', async () => {
    const [a, b] = await startTwo();
    const peer = await a.transport.connect(b.address, SOON);
    expect(peer.contact).toEqual(b.transport.self);
    expect(await a.transport.connect(`${b.address}/p2p/${peerIdOf(b)}`, SOON)).toBe(peer);
    expect(await a.transport.connect(b.address, SOON)).toBe(peer);
    expect(a.connected).toHaveLength(1);
  });

  it('does not accept another identity than the expected one', async () => {
    const [a, b] = await startTwo();
    const somebodyElse = publicKeyOf(new Uint8Array(32).fill(7));
    const request = a.transport.request(createContact(somebodyElse, [b.address]), PING, SOON);
    await expect(request).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringMatching(/another identity/),
    });
    const connect = a.transport.connect(`${b.address}/p2p/${toPeerIdText(somebodyElse)}`, SOON);
    await expect(connect).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringMatching(/another identity/),
    });
    expect(a.transport.peers()).toEqual([]);
  });

  it('says why a peer cannot be reached', async () => {
    const a = await nodes.start();
    const free = await nodes.start();
    await free.transport.stop();
    await expect(a.transport.request(free.transport.self, PING, SOON)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringMatching(/connection refused/),
    });
    const nowhere = createContact(free.transport.self.publicKey, []);
    await expect(a.transport.request(nowhere, PING, SOON)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await expect(a.transport.connect(a.address, SOON)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringMatching(/itself/),
    });
    for (const address of [
      'nonsense',
      '/ip4/127.0.0.1',
      '/ip4/1.2.3.400/tcp/1',
      '/ip4/127.0.0.1/udp/1/quic-v1',
      `${a.address}/p2p/x/p2p/y`,
    ]) {
      await expect(a.transport.connect(address, SOON)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
    }
    await expect(a.transport.connect(`${a.address}/p2p/Qm`, SOON)).rejects.toMatchObject({ code: 'PEER_INVALID' });
  });

  it('passes on what the peer answers, errors included', async () => {
    const [a, b] = await startTwo();
    b.serve = async () => Promise.reject(new NautilusError('RESOURCE_EXHAUSTED', 'full'));
    await expect(a.transport.request(b.transport.self, PING, SOON)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    b.serve = async () => Promise.reject(new Error('a bug'));
    await expect(a.transport.request(b.transport.self, PING, SOON)).rejects.toMatchObject({ code: 'INTERNAL' });
    b.serve = async () => ({ type: 'FIND_NODE', closer: [] });
    await expect(a.transport.request(b.transport.self, PING, SOON)).rejects.toMatchObject({ code: 'MALFORMED' });
    expect(misbehaviour(a)).toEqual(['answer of another type']);
    b.serve = answerShortly;
    expect(await a.transport.request(b.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
  });

  it('gives a silent peer the time the caller gives it, ignores the late answer, and does not keep others waiting', async () => {
    const [a, b] = await startTwo();
    const c = await nodes.start();
    await a.transport.request(b.transport.self, PING, SOON);
    let answerLate: (response: Response) => void = () => undefined;
    b.serve = () =>
      new Promise((resolve) => {
        answerLate = resolve;
      });
    const slow = expect(a.transport.request(b.transport.self, PING, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(await a.transport.request(c.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
    await slow;
    answerLate({ type: 'PING', time: 2 });
    b.serve = answerShortly;
    expect(await a.transport.request(b.transport.self, PING, SOON)).toEqual({ type: 'PING', time: 1 });
    expect(misbehaviour(a)).toEqual([]);
  });

  it('lets a caller give up before, while dialling and while waiting', async () => {
    const [a, b] = await startTwo();
    b.serve = () => new Promise(() => undefined);
    const early = AbortSignal.abort('changed my mind');
    await expect(a.transport.request(b.transport.self, PING, { ...SOON, signal: early })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await expect(a.transport.connect(b.address, { ...SOON, signal: early })).rejects.toMatchObject({ code: 'ABORTED' });
    const dialling = new AbortController();
    const requests = Array.from({ length: 20 }, () =>
      a.transport.request(b.transport.self, PING, { ...SOON, signal: dialling.signal }),
    );
    dialling.abort();
    await Promise.all(requests.map((request) => expect(request).rejects.toMatchObject({ code: 'ABORTED' })));
    await a.transport.connect(b.address, SOON);
    const waiting = new AbortController();
    const request = a.transport.request(b.transport.self, PING, { ...SOON, signal: waiting.signal });
    waiting.abort();
    await expect(request).rejects.toMatchObject({ code: 'ABORTED' });
    b.serve = answerShortly;
    expect(await a.transport.request(b.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
  });

  it('fails what waits on a connection that is lost, tells it once, and dials again for the next request', async () => {
    const [a, b] = await startTwo();
    b.serve = () => new Promise(() => undefined);
    await a.transport.connect(b.address, SOON);
    const waiting = Array.from({ length: 5 }, () => a.transport.request(b.transport.self, PING, SOON));
    const outcomes = Promise.all(
      waiting.map((request) => expect(request).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })),
    );
    for (const connection of b.transport.libp2p.getConnections()) connection.abort(new Error('cable cut'));
    await outcomes;
    expect(a.transport.peer(b.transport.self.id)).toBeUndefined();
    expect([a.disconnected.length, b.disconnected.length]).toEqual([1, 1]);
    b.serve = answerShortly;
    expect(await a.transport.request(b.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
    expect([a.connected.length, b.connected.length]).toEqual([2, 2]);
  });

  it('drops a connection that swallows requests, so that the next one dials anew', async () => {
    const [a, b] = await startTwo();
    // Everything to b goes through a wire that can be silenced without a word.
    let isSilent = false;
    const wires: Socket[] = [];
    const port = Number(b.address.split('/').at(-1));
    const proxy = createServer((socket) => {
      const onward = connect(port, '127.0.0.1');
      wires.push(socket, onward);
      socket.on('data', (bytes) => isSilent || onward.write(bytes));
      onward.on('data', (bytes) => isSilent || socket.write(bytes));
      for (const end of [socket, onward])
        end
          .on('error', () => undefined)
          .on('close', () => {
            socket.destroy();
            onward.destroy();
          });
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const proxyPort = (proxy.address() as { port: number }).port;
    const contact = createContact(b.transport.self.publicKey, [`/ip4/127.0.0.1/tcp/${proxyPort}`]);
    expect(await a.transport.request(contact, PING, SOON)).toMatchObject({ type: 'PING' });
    isSilent = true;
    while (a.transport.peer(contact.id) !== undefined) {
      await expect(a.transport.request(contact, PING, { timeoutMs: 700 })).rejects.toMatchObject({
        code: expect.stringMatching(/TIMEOUT|PEER_UNREACHABLE/),
      });
    }
    isSilent = false;
    expect(await a.transport.request(contact, PING, SOON)).toMatchObject({ type: 'PING' });
    await nodes.stop();
    for (const wire of wires) wire.destroy();
    proxy.close();
  });

  it('closes the least recently used idle peer at the limit', async () => {
    const hub = await nodes.start({ limits: { maxConnections: 3 } });
    const others = await Promise.all(Array.from({ length: 4 }, () => nodes.start()));
    for (const other of others.slice(0, 3)) await hub.transport.request(other.transport.self, PING, SOON);
    await hub.transport.request(others[0]!.transport.self, PING, SOON);
    await hub.transport.request(others[3]!.transport.self, PING, SOON);
    const isConnected = others.map(({ transport }) => hub.transport.peer(transport.self.id) !== undefined);
    expect(isConnected).toEqual([true, false, true, true]);
    await others[1]!.until(() => others[1]!.disconnected.length === 1);
    expect(await others[1]!.transport.request(hub.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
  });

  it('stops in bounded time with requests under way in both directions, and refuses work afterwards', async () => {
    const [a, b] = await startTwo();
    b.serve = () => new Promise(() => undefined);
    a.serve = () => new Promise(() => undefined);
    await a.transport.connect(b.address, SOON);
    const ours = a.transport.request(b.transport.self, PING, SOON);
    const theirs = b.transport.request(a.transport.self, PING, SOON);
    const outcomes = Promise.allSettled([ours, theirs]);
    await a.transport.stop();
    await a.transport.stop();
    expect(await outcomes).toMatchObject([{ reason: { code: 'ABORTED' } }, { reason: { code: 'PEER_UNREACHABLE' } }]);
    await expect(a.transport.request(b.transport.self, PING, SOON)).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(a.transport.connect(b.address, SOON)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('finishes answers that are under way when it stops', async () => {
    const [a, b] = await startTwo();
    await a.transport.connect(b.address, SOON);
    let finish: () => void = () => undefined;
    b.serve = () =>
      new Promise((resolve) => {
        finish = () => resolve({ type: 'PING', time: 3 });
      });
    const request = a.transport.request(b.transport.self, PING, SOON);
    await new Promise<void>((resolve) => {
      const wait = b.serve;
      b.serve = (...args) => {
        resolve();
        return wait(...args);
      };
    });
    const stopped = b.transport.stop();
    finish();
    expect(await request).toEqual({ type: 'PING', time: 3 });
    await stopped;
  });

  it('names the address that is taken, and those that cannot be', async () => {
    const a = await nodes.start();
    await expect(nodes.start({ listen: [a.address] })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(a.address),
    });
    await expect(nodes.start({ listen: ['/ip4/192.0.2.1/tcp/0'] })).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
    await expect(nodes.start({ listen: ['127.0.0.1:4801'] })).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
  });

  it('refuses a node of another network, and one with other constants, saying which', async () => {
    const a = await nodes.start();
    const other = await nodes.start({ constants: { ...DEFAULT_NETWORK_CONSTANTS, network: 'test' } });
    await expect(a.transport.connect(other.address, SOON)).rejects.toMatchObject({
      code: 'NETWORK_MISMATCH',
      message: expect.stringMatching(/--network/),
    });
    const odd = await nodes.start({ constants: { ...DEFAULT_NETWORK_CONSTANTS, k: 8 } });
    await expect(a.transport.connect(odd.address, SOON)).rejects.toMatchObject({
      code: 'NETWORK_MISMATCH',
      message: expect.stringMatching(/k is 8 there and 20 here/),
    });
    await expect(odd.transport.request(a.transport.self, PING, SOON)).rejects.toMatchObject({
      code: 'NETWORK_MISMATCH',
    });
    expect([...a.connected, ...odd.connected, ...other.connected]).toEqual([]);
  });

  it('tells where it can be dialled: the announced addresses, or the interfaces, and nothing as a client', async () => {
    const everywhere = await nodes.start({ listen: ['/ip4/0.0.0.0/tcp/0'] });
    const announced = await nodes.start({ announce: ['/dns4/node.example/tcp/4801'] });
    const client = await nodes.start({ mode: 'client', listen: [] });
    const asker = await nodes.start();
    expect(everywhere.transport.self.addresses.some((address) => address.includes('0.0.0.0'))).toBe(false);
    const local = everywhere.transport.self.addresses.find((address) => address.includes('/127.0.0.1/'))!;
    expect((await asker.transport.connect(local, SOON)).contact.addresses).toContain(local);
    const [address = ''] = announced.transport.libp2p.getMultiaddrs().map(String);
    expect((await asker.transport.connect(address, SOON)).contact.addresses).toEqual(['/dns4/node.example/tcp/4801']);
    expect(announced.transport.self.addresses).toEqual(['/dns4/node.example/tcp/4801']);
    await client.transport.connect(asker.address, SOON);
    expect(asker.connected.at(-1)).toMatchObject({ mode: 'client', contact: { addresses: [] } });
    expect(await asker.transport.request(client.transport.self, PING, SOON)).toMatchObject({ type: 'PING' });
  });
});
