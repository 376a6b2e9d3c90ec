import { describe, expect, it } from 'vitest';
import { createContact, RoutingTable } from '../../../src/kademlia/index.ts';
import { decodeTable, encodeTable } from '../../../src/kademlia/saved-table.ts';
import { encodeCbor } from '../../../src/records/index.ts';
import { seededRandom } from './memory-network.ts';

const random = seededRandom(4);
const table = new RoutingTable({ self: createContact(random.bytes(32), []).id, k: 20 });
for (let i = 0; i < 60; i++)
  table.insert(createContact(random.bytes(32), [`/ip4/127.0.0.1/tcp/${i}`]), 1_700_000_000_000 + i);

describe('saved table', () => {
  it('comes back with addresses and times', () => {
    const expected = Array.from(table.entries(), ({ contact, seenAt }) => ({ contact, seenAt }));
    expect(decodeTable(encodeTable(table))).toEqual(expected);
    expect(expected.length).toBeGreaterThan(30);
  });

  it('is empty when the bytes are not its own', () => {
    const bytes = encodeTable(table);
    for (let length = 0; length < bytes.length; length += 7) expect(decodeTable(bytes.subarray(0, length))).toEqual([]);
    for (const other of [
      [],
      [2, new Uint8Array(0), [], []],
      [1, new Uint8Array(32), [[]], []],
      [1, new Uint8Array(31), [[]], [1]],
    ]) {
      expect(decodeTable(encodeCbor(other))).toEqual([]);
    }
  });
});
