import { describe, expect, it } from 'vitest';
import { parsePeerAddress } from '../../../src/bootstrap/peer-address.ts';

const ID = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';

describe('parsePeerAddress', () => {
  it.each([
    ['/ip4/203.0.113.7/tcp/4801', { kind: 'ip4', host: '203.0.113.7', port: 4801, peerId: undefined }],
    [`/ip6/2001:db8::1/tcp/1/p2p/${ID}`, { kind: 'ip6', host: '2001:db8::1', port: 1, peerId: ID }],
    ['/dns/seed.example.org/tcp/65535', { kind: 'dns', host: 'seed.example.org', port: 65_535, peerId: undefined }],
    [`/dns4/localhost/tcp/80/p2p/${ID}`, { kind: 'dns4', host: 'localhost', port: 80, peerId: ID }],
    ['/dns6/a-b.example/tcp/80', { kind: 'dns6', host: 'a-b.example', port: 80, peerId: undefined }],
    ['/dnsaddr/example.org', { kind: 'dnsaddr', host: 'example.org', port: undefined, peerId: undefined }],
    [`/dnsaddr/example.org/p2p/${ID}`, { kind: 'dnsaddr', host: 'example.org', port: undefined, peerId: ID }],
  ])('reads %s', (text, parts) => {
    expect(parsePeerAddress(text)).toEqual({ text, ...parts });
  });

  it.each([
    ['', /should look like \/ip4\//],
    ['example', /should look like .*\/dnsaddr\/example\.org or https:/],
    ['203.0.113.7:4801', /should look like \/ip4\/203\.0\.113\.7\/tcp\/4801$/],
    ['seed.example.org:4801', /should look like \/dns\/seed\.example\.org\/tcp\/4801$/],
    ['[2001:db8::1]:4801', /should look like \/ip6\/2001:db8::1\/tcp\/4801$/],
    ['/ip4/203.0.113.700/tcp/4801', /"203\.0\.113\.700" is not an IPv4 address/],
    ['/ip6/203.0.113.7/tcp/4801', /is not an IPv6 address/],
    ['/ip6/fe80::1%eth0/tcp/4801', /is not an IPv6 address/],
    ['/dns4/203.0.113.7/tcp/4801', /is not a host name/],
    ['/dns4/-bad-.example/tcp/4801', /is not a host name/],
    [`/dns4/${'a'.repeat(64)}.example/tcp/4801`, /is not a host name/],
    ['/dns4/a..b/tcp/4801', /is not a host name/],
    ['/onion3/abc/tcp/80', /\/onion3 is not known here/],
    ['/ip4/203.0.113.7', /comes \/tcp\/PORT/],
    ['/ip4/203.0.113.7/udp/4801/quic-v1', /nodes speak TCP/],
    ['/ip4/203.0.113.7/tcp/0', /"0" is not a port/],
    ['/ip4/203.0.113.7/tcp/65536', /"65536" is not a port/],
    ['/ip4/203.0.113.7/tcp/4801x', /"4801x" is not a port/],
    ['/ip4/203.0.113.7/tcp/4801/p2p/', /"" is not a peer id/],
    ['/ip4/203.0.113.7/tcp/4801/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC', /12D3KooW… \(52 characters\)/],
    [`/ip4/203.0.113.7/tcp/4801/p2p/${ID.replace('g', '0')}`, /is not a peer id/],
    ['/ip4/203.0.113.7/tcp/4801/ws', /"\/ws" at its end is not understood/],
    [`/ip4/203.0.113.7/tcp/4801/p2p/${ID}/p2p-circuit`, /at its end is not understood/],
    ['/dnsaddr/example.org/tcp/4801', /at its end is not understood/],
    [`/${'x'.repeat(600)}`, /longer than 512 characters/],
  ])('refuses %j and says what is wrong', (text, message) => {
    expect(() => parsePeerAddress(text)).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('keeps its message on one short line whatever it was given', () => {
    expect(() => parsePeerAddress('z'.repeat(10_000))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) }),
    );
  });
});
