import { describe, expect, it } from 'vitest';
import { createContact, decodeFrame, encodeResponse, NodeId } from '../../../src/kademlia/index.ts';
import { fromHex, parsePeerIdText } from '../../../src/records/index.ts';
import { seededRandom } from './memory-network.ts';

describe('the id of a contact', () => {
  it('is sha256 of the libp2p peer id', () => {
    const publicKey = parsePeerIdText('12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq');
    const expected = 'dfd53212a4bd2beda3ea8e82d08285370c70a70cfe9c588e28754b23c8033121';
    expect(createContact(publicKey, []).id.bytes).toEqual(fromHex(expected));
    expect(createContact(publicKey, []).id.hex).toBe(expected);
  });

  it('is remembered, but never mistaken for that of another key', () => {
    const random = seededRandom(1);
    // Half of the keys share one place of the memory.
    const keys = Array.from({ length: 4_000 }, (_, i) => {
      const key = random.bytes(32);
      if (i % 2 === 0) key.fill(7, 0, 2);
      return key;
    });
    const sample = keys.filter((_, i) => i % 40 < 2);
    const first = sample.map((key) => createContact(key, []).id.hex);
    for (const key of keys) createContact(key, []);
    expect(sample.map((key) => createContact(key, []).id.hex)).toEqual(first);
    expect(first).toEqual(sample.map((key) => NodeId.fromPublicKey(key).hex));
  });

  it('does not change with the buffer it was read from', () => {
    const buffer = seededRandom(2).bytes(64);
    const contact = createContact(buffer.subarray(16, 48), []);
    const publicKey = buffer.slice(16, 48);
    buffer.fill(0);
    expect(contact.publicKey).toEqual(publicKey);
    expect(createContact(publicKey, []).id.hex).toBe(contact.id.hex);
  });

  it('is one object for all who are told of it, and another one at other addresses', () => {
    const { id, publicKey } = createContact(seededRandom(3).bytes(32), []);
    const told = (addresses: readonly string[]) => {
      const closer = [{ id, publicKey, addresses }];
      const frame = decodeFrame(encodeResponse(1, { type: 'FIND_NODE', closer }));
      return frame.kind === 'response' && frame.response.type === 'FIND_NODE' ? frame.response.closer[0] : undefined;
    };
    const here = told(['/ip4/192.0.2.1/tcp/1']);
    expect(here?.addresses).toEqual(['/ip4/192.0.2.1/tcp/1']);
    expect(told(['/ip4/192.0.2.1/tcp/1'])).toBe(here);
    const there = told(['/ip4/192.0.2.1/tcp/11']);
    expect(there?.addresses).toEqual(['/ip4/192.0.2.1/tcp/11']);
    expect(told([])?.addresses).toEqual([]);
    expect(told(['/ip4/192.0.2.1/tcp/1'])?.addresses).toEqual(['/ip4/192.0.2.1/tcp/1']);
  });
});
