import { describe, expect, it } from 'vitest';
import { addressGroup, addressGroups, addressScope } from '../../../src/kademlia/address.ts';

describe('addressScope', () => {
  it.each([
    ['/ip4/127.0.0.1/tcp/4801', 'loopback'],
    ['/ip4/127.9.9.9/tcp/4801', 'loopback'],
    ['/ip4/0.0.0.0/tcp/4801', 'loopback'],
    ['/ip6/::1/tcp/4801', 'loopback'],
    ['/ip6/::/tcp/4801', 'loopback'],
    ['/ip6/::ffff:127.0.0.1/tcp/4801', 'loopback'],
    ['/ip4/10.1.2.3/tcp/4801', 'private'],
    ['/ip4/172.16.0.1/tcp/4801', 'private'],
    ['/ip4/172.32.0.1/tcp/4801', 'public'],
    ['/ip4/192.168.1.2/tcp/4801', 'private'],
    ['/ip4/169.254.3.4/tcp/4801', 'private'],
    ['/ip4/100.64.0.1/tcp/4801', 'private'],
    ['/ip4/100.128.0.1/tcp/4801', 'public'],
    ['/ip6/fd12:3456::1/tcp/4801', 'private'],
    ['/ip6zone/eth0/ip6/fe80::1/tcp/4801', 'private'],
    ['/ip6/::ffff:10.0.0.1/tcp/4801', 'private'],
    ['/ip4/198.51.100.7/tcp/4801', 'public'],
    ['/ip6/2001:db8::1/tcp/4801', 'public'],
    ['/dns4/seed.example/tcp/4801', 'public'],
    ['/ip6/not:an:address/tcp/1', 'public'],
    ['/ip4/127.0.0.1', 'loopback'],
    ['/ip4/127.0.0/tcp/1', 'public'],
    ['/ip4/127.0.0.1.1/tcp/1', 'public'],
    ['/ip4/127..0.1/tcp/1', 'public'],
    ['/ip4/10.0.0.256/tcp/1', 'public'],
    ['/ip4/', 'public'],
    ['', 'public'],
  ])('of %s is %s', (address, scope) => {
    expect(addressScope(address)).toBe(scope);
  });
});

describe('addressGroup', () => {
  it.each([
    ['/ip4/198.51.100.7/tcp/4801', '198.51.100'],
    ['/ip4/198.51.100.200/tcp/1', '198.51.100'],
    ['/ip6/2001:db8:1:2::9/tcp/4801', '2001:db8:1'],
    ['/ip6/2001:db8:1:ffff:1:2:3:4/tcp/4801', '2001:db8:1'],
    ['/ip6/2001:db8::9/tcp/4801', '2001:db8:0'],
    ['/ip6/::ffff:198.51.100.7/tcp/4801', '198.51.100'],
    ['/ip4/127.0.0.1/tcp/4801', undefined],
    ['/ip4/10.0.0.1/tcp/4801', undefined],
    ['/ip6/1::2::3/tcp/4801', undefined],
    ['/dns4/seed.example/tcp/4801', undefined],
  ])('of %s is %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  it('counts a contact once per group, however many addresses it has there', () => {
    const addresses = [
      '/ip4/198.51.100.7/tcp/1',
      '/ip4/198.51.100.8/tcp/1',
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/203.0.113.1/tcp/1',
    ];
    expect(addressGroups(addresses)).toEqual(['198.51.100', '203.0.113']);
  });
});
