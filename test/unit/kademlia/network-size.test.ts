import { describe, expect, it } from 'vitest';
import { createContact, NodeId, RoutingTable } from '../../../src/kademlia/index.ts';
import { estimateOthers } from '../../../src/kademlia/network-size.ts';
import { seededRandom } from './memory-network.ts';

/** Estimates of some members of a network of `count`, each of whom met everybody. */
function estimates(count: number, members: number, seed: number): number[] {
  const random = seededRandom(seed);
  const contacts = Array.from({ length: count }, () => createContact(random.bytes(32), []));
  return contacts.slice(0, members).map(({ id }) => {
    const table = new RoutingTable({ self: id, k: 20 });
    for (const contact of contacts) table.insert(contact, 0);
    return 1 + estimateOthers({ self: id, nearest: table.closest(id, 20), k: 20, known: table.size });
  });
}

describe('estimateOthers', () => {
  it.each([1, 2, 3, 10, 20])('is exact in a network of %i', (count) => {
    expect(estimates(count, count, 1)).toEqual(Array(count).fill(count));
  });

  it.each([64, 300, 1_000])('is right on average and never far off in a network of %i', (count) => {
    const guesses = [2, 3, 4, 5].flatMap((seed) => estimates(count, 10, seed));
    const mean = guesses.reduce((sum, guess) => sum + guess, 0) / guesses.length;
    expect(mean).toBeGreaterThan(0.85 * count);
    expect(mean).toBeLessThan(1.15 * count);
    for (const guess of guesses) {
      expect(guess).toBeGreaterThan(count / 2);
      expect(guess).toBeLessThan(count * 2);
    }
  });

  it('does not depend on how far the rest of the table is filled', () => {
    const id = (byte: number) => NodeId.fromBytes(Uint8Array.of(byte));
    const self = id(0b00000000);
    const nearest = [id(0b00000001), id(0b00000010), id(0b00001000)].map((each) => ({ id: each }));
    const estimate = (known: number) => estimateOthers({ self, nearest, k: 3, known });
    expect(estimate(3)).toBe(64); // two within 8 of 256
    expect(estimate(63)).toBe(64);
  });

  it('is never less than is known', () => {
    const self = NodeId.fromBytes(Uint8Array.of(0));
    const nearest = [1, 2].map((byte) => ({ id: NodeId.fromBytes(Uint8Array.of(byte)) }));
    expect(estimateOthers({ self, nearest, k: 20, known: 2 })).toBe(2);
    expect(estimateOthers({ self, nearest, k: 2, known: 1_000 })).toBe(1_000);
  });
});
