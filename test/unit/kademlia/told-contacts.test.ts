import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/kademlia/index.ts';
import { toldContacts } from '../../../src/kademlia/told-contacts.ts';
import { contact } from './byte-ids.ts';

const LOOPBACK = '/ip4/127.0.0.1/tcp/1';
const PRIVATE = '/ip4/192.168.1.2/tcp/1';
const PUBLIC = '/ip4/203.0.113.1/tcp/1';

const asker = (addresses: readonly string[], remoteAddress?: string): Peer => ({
  contact: contact(9, addresses),
  mode: 'server',
  direction: 'inbound',
  remoteAddress,
});
const told = (peer: Peer, ...addresses: string[][]) =>
  toldContacts(
    peer,
    addresses.map((list, i) => contact(i, list)),
  ).map((known) => known.addresses);

describe('toldContacts', () => {
  it('tells a neighbour on the same machine everything', () => {
    expect(told(asker([], LOOPBACK), [LOOPBACK, PRIVATE, PUBLIC])).toEqual([[LOOPBACK, PRIVATE, PUBLIC]]);
  });

  it('tells loopback addresses to nobody else', () => {
    expect(told(asker([], PRIVATE), [LOOPBACK, PRIVATE, PUBLIC])).toEqual([[PRIVATE, PUBLIC]]);
  });

  it('tells the outside public addresses and names only', () => {
    const name = '/dns4/seed.example/tcp/1';
    expect(told(asker([LOOPBACK], PUBLIC), [LOOPBACK, PRIVATE, PUBLIC, name])).toEqual([[PUBLIC, name]]);
  });

  it('does not name whom the asker cannot reach', () => {
    expect(told(asker([], PUBLIC), [LOOPBACK], [PUBLIC], [])).toEqual([[PUBLIC], []]);
  });

  it('goes by what the asker announced when the transport does not know where it is', () => {
    expect(told(asker([PUBLIC, PRIVATE]), [LOOPBACK, PRIVATE, PUBLIC])).toEqual([[PRIVATE, PUBLIC]]);
    expect(told(asker([PUBLIC]), [LOOPBACK, PUBLIC])).toEqual([[PUBLIC]]);
    expect(told(asker([]), [LOOPBACK, PUBLIC])).toEqual([[LOOPBACK, PUBLIC]]);
  });
});
