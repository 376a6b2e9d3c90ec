import { describe, expect, it } from 'vitest';
import { parsePeerAddress } from '../../../src/bootstrap/peer-address.ts';
import { resolveAddress } from '../../../src/bootstrap/resolve-address.ts';
import { createMemoryNames, type MemoryNames } from './memory-names.ts';

const A = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';
const B = '12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK';

function resolve(text: string, names: MemoryNames) {
  return resolveAddress(parsePeerAddress(text), createMemoryNames(names));
}

describe('resolveAddress', () => {
  const hosts = {
    'seed.example': [
      { address: '203.0.113.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ],
    'v4.example': [{ address: '203.0.113.8', family: 4 }],
  } as const;

  it('leaves IP addresses alone and asks nobody', async () => {
    const names = createMemoryNames({});
    const text = `/ip4/203.0.113.7/tcp/4801/p2p/${A}`;
    expect(await resolveAddress(parsePeerAddress(text), names)).toEqual([[text]]);
    expect(names.asked).toEqual([]);
  });

  it.each([
    [
      `/dns/seed.example/tcp/4801/p2p/${A}`,
      [`/ip4/203.0.113.7/tcp/4801/p2p/${A}`, `/ip6/2001:db8::7/tcp/4801/p2p/${A}`],
    ],
    ['/dns4/seed.example/tcp/4801', ['/ip4/203.0.113.7/tcp/4801']],
    ['/dns6/seed.example/tcp/4801', ['/ip6/2001:db8::7/tcp/4801']],
  ])('turns %s into alternatives for one peer', async (text, alternatives) => {
    expect(await resolve(text, { hosts })).toEqual([alternatives]);
  });

  it('says which name and which kind of address is missing', async () => {
    await expect(resolve('/dns6/v4.example/tcp/4801', { hosts })).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringMatching(/v4\.example has no IPv6 address/),
    });
  });

  it('says which name cannot be looked up, and why', async () => {
    await expect(resolve('/dns4/x.example/tcp/1', { broken: { 'x.example': 'ETIMEOUT' } })).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: 'the name x.example cannot be looked up (ETIMEOUT)',
    });
  });

  it('reads several peers out of a dnsaddr, each with its alternatives, and skips what it does not speak', async () => {
    const texts = {
      '_dnsaddr.example.org': [
        'v=spf1 -all',
        `dnsaddr=/ip4/203.0.113.1/tcp/4801/p2p/${A}`,
        `dnsaddr=/ip6/2001:db8::1/tcp/4801/p2p/${A}`,
        `dnsaddr=/ip4/203.0.113.1/udp/4801/quic-v1/p2p/${A}`,
        `dnsaddr=/dns4/v4.example/tcp/4802/p2p/${B}`,
      ],
    };
    expect(await resolve('/dnsaddr/example.org', { texts, hosts })).toEqual([
      [`/ip4/203.0.113.1/tcp/4801/p2p/${A}`, `/ip6/2001:db8::1/tcp/4801/p2p/${A}`],
      [`/ip4/203.0.113.8/tcp/4802/p2p/${B}`],
    ]);
  });

  it('takes only the asked peer from a dnsaddr that names one', async () => {
    const texts = {
      '_dnsaddr.example.org': [
        `dnsaddr=/ip4/203.0.113.1/tcp/4801/p2p/${A}`,
        `dnsaddr=/ip4/203.0.113.2/tcp/4801/p2p/${B}`,
      ],
    };
    expect(await resolve(`/dnsaddr/example.org/p2p/${B}`, { texts })).toEqual([[`/ip4/203.0.113.2/tcp/4801/p2p/${B}`]]);
  });

  it('follows a dnsaddr to another one, and ends when they point in a circle', async () => {
    const texts = {
      '_dnsaddr.a.example': ['dnsaddr=/dnsaddr/b.example'],
      '_dnsaddr.b.example': ['dnsaddr=/dnsaddr/a.example', `dnsaddr=/ip4/203.0.113.1/tcp/1/p2p/${A}`],
    };
    expect(await resolve('/dnsaddr/a.example', { texts })).toEqual([[`/ip4/203.0.113.1/tcp/1/p2p/${A}`]]);
  });

  it('asks a bounded number of questions of a zone that points on and on', async () => {
    const texts: Record<string, string[]> = {};
    for (let i = 0; i < 100; i++) texts[`_dnsaddr.h${i}.example`] = [`dnsaddr=/dnsaddr/h${i + 1}.example`];
    const names = createMemoryNames({ texts });
    await expect(resolveAddress(parsePeerAddress('/dnsaddr/h0.example'), names)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    expect(names.asked).toHaveLength(16);
  });

  it('does not let one entry with a dead name hide the good ones', async () => {
    const texts = {
      '_dnsaddr.example.org': [`dnsaddr=/dns4/gone.example/tcp/1/p2p/${A}`, `dnsaddr=/ip4/203.0.113.2/tcp/1/p2p/${B}`],
    };
    expect(await resolve('/dnsaddr/example.org', { texts })).toEqual([[`/ip4/203.0.113.2/tcp/1/p2p/${B}`]]);
  });

  it('tells the dead name when every entry is dead', async () => {
    const texts = { '_dnsaddr.example.org': [`dnsaddr=/dns4/gone.example/tcp/1/p2p/${A}`] };
    await expect(resolve('/dnsaddr/example.org', { texts })).rejects.toMatchObject({
      message: expect.stringMatching(/gone\.example has no IPv4 address/),
    });
  });

  it('says where it looked when a dnsaddr has no usable entry', async () => {
    await expect(resolve('/dnsaddr/example.org', {})).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringMatching(/TXT records of _dnsaddr\.example\.org/),
    });
  });
});
