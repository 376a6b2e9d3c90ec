import { describe, expect, it } from 'vitest';
import { parseListAddress } from '../../../src/bootstrap/bootstrap-service.ts';
import { parsePeerSources, parseRendezvousAddress } from '../../../src/bootstrap/parse-peer-sources.ts';
import { SILENT_OBSERVER } from '../../../src/core/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

function parse(...bootstrap: string[]) {
  return parseAll({ bootstrap });
}

function parseAll(flags: { bootstrap?: string[]; mdns?: boolean; rendezvous?: string[] }) {
  return parsePeerSources({
    bootstrap: [],
    mdns: false,
    rendezvous: [],
    ...flags,
    network: 'main',
    self: { peerId: 'self', privateKey: new Uint8Array(32), addresses: () => [], mode: 'server' },
    clock: new ManualClock(),
    random,
    observer: SILENT_OBSERVER,
  });
}

describe('parsePeerSources', () => {
  it('gathers addresses in one source and gives every list its own', async () => {
    const sources = parse(
      '/ip4/203.0.113.1/tcp/1',
      'https://a.example/peers',
      '/dnsaddr/b.example',
      'http://c.example:80/x',
    );
    expect(sources.map(({ name }) => name)).toEqual(['--bootstrap', 'https://a.example/peers', 'http://c.example/x']);
    const addresses: string[] = [];
    for await (const address of sources[0]!.peers({})) addresses.push(address);
    expect(addresses).toEqual(['/ip4/203.0.113.1/tcp/1', '/dnsaddr/b.example']);
  });

  it('adds mDNS and rendezvous when they are asked for', () => {
    const sources = parseAll({
      mdns: true,
      rendezvous: ['/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN'],
    });
    expect(sources.map(({ name }) => name)).toEqual(['--mdns', '--rendezvous']);
  });

  it('makes no source out of nothing', () => {
    expect(parse()).toEqual([]);
  });

  it('names every bad value in one error', () => {
    expect(() => parse('203.0.113.1:1', '/ip4/203.0.113.1/tcp/1', 'http://', '/ip4/x/tcp/1')).toThrow(
      expect.objectContaining({
        code: 'ADDRESS_INVALID',
        message: expect.stringMatching(
          /^--bootstrap: "203\.0\.113\.1:1" .*\/ip4\/203\.0\.113\.1\/tcp\/1; "http:\/\/" is not a URL .*; "\/ip4\/x\/tcp\/1" .*"x" is not an IPv4/,
        ),
      }),
    );
  });
});

describe('parseRendezvousAddress', () => {
  it.each([
    '/ip4/203.0.113.1/tcp/4001',
    '/ip4/203.0.113.1/tcp/4001/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq',
    '/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
  ])('takes %s, whatever kind of identity it names', (address) => {
    expect(parseRendezvousAddress(address)).toBe(address);
  });

  it('refuses what is no address, naming the flag among the sources', () => {
    expect(() => parseRendezvousAddress('https://a.example')).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID' }),
    );
    expect(() => parseAll({ rendezvous: ['https://a.example'] })).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID', message: expect.stringMatching(/^--rendezvous: "https:/) }),
    );
  });
});

describe('parseListAddress', () => {
  it.each([
    ['127.0.0.1:8480', { host: '127.0.0.1', port: 8480 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    [':8480', { host: '0.0.0.0', port: 8480 }],
  ])('reads %s', (text, address) => {
    expect(parseListAddress(text)).toEqual(address);
  });

  it.each(['8480', 'host', '::1:80', '[host]:80', 'a:65536', 'a:-1', 'a:80/x', ''])(
    'refuses %j with examples',
    (text) => {
      expect(() => parseListAddress(text)).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(/HOST:PORT; it looks like 127/),
        }),
      );
    },
  );
});
