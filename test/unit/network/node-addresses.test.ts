import { describe, expect, it } from 'vitest';
import { believableAddresses, NodeAddresses } from '../../../src/network/node-addresses.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const LOOPBACK = '/ip4/127.0.0.1/tcp/4801';
const LOOPBACK6 = '/ip6/::1/tcp/4801';
const PRIVATE = '/ip4/192.168.1.7/tcp/4801';
const PUBLIC = '/ip4/203.0.113.7/tcp/4801';
const NAME = '/dns4/node.example/tcp/4801';
const ALL = [LOOPBACK, PRIVATE, PUBLIC];

function addresses(listen: readonly string[], announce: readonly string[] = [], clock = new ManualClock()) {
  return new NodeAddresses({ listenAddresses: () => listen, announce, clock });
}

describe('NodeAddresses', () => {
  it('tells loopback and private addresses only within their scope, the nearest first', () => {
    const own = addresses(ALL);
    expect(own.toldTo('/ip4/127.0.0.1/tcp/50000')).toEqual([LOOPBACK, PRIVATE, PUBLIC]);
    expect(own.toldTo('/ip6/::1/tcp/50000')).toEqual([LOOPBACK, PRIVATE, PUBLIC]);
    expect(own.toldTo('/ip4/10.0.0.9/tcp/50000')).toEqual([PRIVATE, PUBLIC]);
    expect(own.toldTo('/ip6/fe80::1/tcp/50000')).toEqual([PRIVATE, PUBLIC]);
    expect(own.toldTo('/ip4/198.51.100.3/tcp/50000')).toEqual([PUBLIC]);
    expect(own.toldTo('/ip6/2001:db8::1/tcp/50000')).toEqual([PUBLIC]);
    expect(own.all()).toEqual([PUBLIC, PRIVATE, LOOPBACK]);
  });

  it('tells announced addresses to everybody, and nothing else', () => {
    const own = addresses(ALL, [NAME, PRIVATE]);
    for (const remote of ['/ip4/127.0.0.1/tcp/1', '/ip4/198.51.100.3/tcp/1']) {
      expect(own.toldTo(remote)).toEqual([NAME, PRIVATE]);
    }
    expect(own.all()).toEqual([NAME, PRIVATE]);
  });

  it('notices interfaces that come and go, and keeps the same list while nothing changes', async () => {
    const clock = new ManualClock();
    const listen = [LOOPBACK];
    const own = addresses(listen, [], clock);
    const before = own.all();
    await clock.advance(60_000);
    expect(own.all()).toBe(before);
    listen.push(PUBLIC);
    await clock.advance(60_000);
    expect(own.all()).toEqual([PUBLIC, LOOPBACK]);
  });

  it('tells at most eight', () => {
    const many = Array.from({ length: 20 }, (_, i) => `/ip4/203.0.113.${i}/tcp/1`);
    expect(addresses(many).toldTo('/ip4/198.51.100.3/tcp/1')).toHaveLength(8);
    expect(addresses([], many).toldTo('/ip4/198.51.100.3/tcp/1')).toHaveLength(8);
  });
});

describe('believableAddresses', () => {
  it('drops what cannot be dialled, and the loopback of another machine', () => {
    const told = [
      LOOPBACK,
      LOOPBACK6,
      '/ip4/0.0.0.0/tcp/1',
      PRIVATE,
      NAME,
      '/ip4/1.2.3.4/udp/1/quic-v1',
      'nonsense',
      '/ip4/1.2.3.4/tcp/0',
    ];
    expect(believableAddresses(told, '/ip4/192.168.1.9/tcp/50000')).toEqual([PRIVATE, NAME]);
    expect(believableAddresses(told, '/ip4/127.0.0.1/tcp/50000')).toEqual([LOOPBACK, LOOPBACK6, PRIVATE, NAME]);
  });
});
