/** The peer list over real HTTP: the service, and the source that reads it from services good and bad. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type BootstrapService, createBootstrapService, createListSource } from '../../src/bootstrap/index.ts';
import { systemRandom } from '../../src/platform/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const ID = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';
const OWN = `/ip4/203.0.113.1/tcp/4801/p2p/${ID}`;
const LIVE = Array.from({ length: 500 }, (_, i) => `/ip4/198.51.100.${i % 256}/tcp/${1_000 + i}/p2p/${ID}`);

const services: BootstrapService[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function startService(live: readonly string[] = LIVE, port = 0): Promise<BootstrapService> {
  const service = await createBootstrapService({
    listen: { host: '127.0.0.1', port },
    network: 'main',
    ownAddresses: () => [OWN],
    liveAddresses: () => live,
    random: systemRandom,
  });
  services.push(service);
  return service;
}

async function startServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function read(url: string, clock = new ManualClock(), signal?: AbortSignal): Promise<string[]> {
  const source = createListSource({ url: new URL(url), network: 'main', clock, random: systemRandom });
  const addresses: string[] = [];
  for await (const address of source.peers({ signal })) addresses.push(address);
  return addresses;
}

describe('the bootstrap service', () => {
  it('lists its own addresses first and a bounded sample of live servers', async () => {
    const { url } = await startService();
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('connection')).toBe('close');
    const list = (await response.json()) as { network: string; peers: string[] };
    expect(list.network).toBe('main');
    expect(list.peers[0]).toBe(OWN);
    expect(list.peers).toHaveLength(65);
    expect(new Set(list.peers).size).toBe(65);
    expect(list.peers.slice(1).every((peer) => LIVE.includes(peer))).toBe(true);
  });

  it('tells its health', async () => {
    const { url } = await startService();
    expect(await (await fetch(`${url}health`)).json()).toEqual({ status: 'ok', network: 'main', peers: 500 });
  });

  it.each([
    ['GET', 'peers.json', 404],
    ['POST', '', 405],
    ['DELETE', 'health', 405],
    ['HEAD', '', 200],
    ['GET', '?x=1', 200],
  ])('answers %s /%s with %i', async (method, path, status) => {
    const { url } = await startService();
    const response = await fetch(url + path, { method });
    expect(response.status).toBe(status);
    if (status === 405) expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('says that the port is taken and what to do', async () => {
    const { url } = await startService();
    await expect(startService([], Number(new URL(url).port))).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(/^--list 127\.0\.0\.1:\d+: another program listens there; choose another port$/),
    });
  });

  it('says that an address is not this machine’s', async () => {
    const init = { network: 'main', ownAddresses: () => [], liveAddresses: () => [], random: systemRandom };
    await expect(createBootstrapService({ ...init, listen: { host: '203.0.113.254', port: 0 } })).rejects.toMatchObject(
      { code: 'CONFIG_INVALID' },
    );
  });

  it('stops at once although somebody holds a connection open, and twice', async () => {
    const service = await startService();
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => socket.destroy());
    await service.stop();
    await service.stop();
    await closed;
  });
});

describe('a list source', () => {
  it('takes a random part of what a bootstrap service lists', async () => {
    const { url } = await startService();
    const addresses = await read(url);
    expect(addresses).toHaveLength(32);
    expect(addresses.every((address) => address === OWN || LIVE.includes(address))).toBe(true);
  });

  it('leaves out entries that are no addresses and keeps the others', async () => {
    const url = await startServer((_, response) =>
      response.end(JSON.stringify({ network: 'main', peers: [OWN, 7, null, '/quic/x', LIVE[0]], more: true })),
    );
    expect((await read(url)).toSorted()).toEqual([LIVE[0], OWN].toSorted());
  });

  it.each<[string, RequestListener, string, RegExp]>([
    [
      'another network’s list',
      (_, response) => response.end('{"network":"test","peers":[]}'),
      'NETWORK_MISMATCH',
      /it is of the network "test", this node is in "main"$/,
    ],
    ['a page that is no JSON', (_, response) => response.end('<html>'), 'MALFORMED', /it is not JSON$/],
    ['JSON of another form', (_, response) => response.end('[]'), 'MALFORMED', /not of the form \{"network"/],
    ['a missing page', (_, response) => response.writeHead(404).end(), 'PEER_UNREACHABLE', /the server answers 404$/],
    ['an empty list', (_, response) => response.end('{"network":"main","peers":[]}'), 'NO_PEERS', /no usable peer/],
    [
      'an endless body',
      (_, response) => {
        const more = () => {
          while (response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
      },
      'MALFORMED',
      /it is larger than 256 KiB$/,
    ],
    ['a cut connection', (_, response) => response.destroy(), 'PEER_UNREACHABLE', /(UND_ERR_SOCKET|ECONNRESET)$/],
  ])('says what is wrong with %s', async (_, listener, code, message) => {
    const url = await startServer(listener);
    await expect(read(url)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('says that nobody listens there', async () => {
    const { url } = await startService();
    await services.pop()!.stop();
    await expect(read(url)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: `the peer list ${url} cannot be used: ECONNREFUSED`,
    });
  });

  it('gives up on a server that never answers', async () => {
    const clock = new ManualClock();
    let onRequest!: () => void;
    const requested = new Promise<void>((resolve) => {
      onRequest = resolve;
    });
    const url = await startServer(() => onRequest());
    const reading = expect(read(url, clock)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/cannot be used: no answer in 10 s$/),
    });
    await requested;
    await clock.advance(10_000);
    await reading;
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with the caller’s reason when the caller gives up', async () => {
    const { url } = await startService();
    const reason = new Error('enough');
    await expect(read(url, new ManualClock(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
