import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commonPrefixLength, compareDistance, distance, NodeId } from '../../../src/kademlia/index.ts';
import { compareBytes, parsePeerIdText } from '../../../src/records/index.ts';

const id = (byte: number) => NodeId.fromBytes(Uint8Array.of(byte));
const anyId = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => NodeId.fromBytes(bytes));

describe('the XOR metric', () => {
  test('is what it is on paper', () => {
    expect(distance(id(0b101010), id(0b110110))).toEqual(Uint8Array.of(28));
    expect(distance(id(0b101010), id(0b101010))).toEqual(Uint8Array.of(0));
  });

  test('orders ids as their distances are ordered', () => {
    fc.assert(
      fc.property(anyId, anyId, anyId, (target, a, b) => {
        const byDistance = compareBytes(distance(a, target), distance(b, target));
        expect(Math.sign(compareDistance(target, a, b))).toBe(Math.sign(byDistance));
      }),
    );
  });

  test('is symmetric, and zero only between equal ids', () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        expect(distance(a, b)).toEqual(distance(b, a));
        expect(distance(a, b).every((byte) => byte === 0)).toBe(a.equals(b));
      }),
    );
  });

  test('keeps the triangle inequality', () => {
    const size = (bytes: Uint8Array) => new DataView(bytes.buffer).getUint32(0);
    fc.assert(
      fc.property(anyId, anyId, anyId, (a, b, c) => {
        expect(size(distance(a, c))).toBeLessThanOrEqual(size(distance(a, b)) + size(distance(b, c)));
      }),
    );
  });
});

describe('the common prefix', () => {
  test.each([
    [0b00000000, 0b00000000, 8],
    [0b00000000, 0b10000000, 0],
    [0b01000000, 0b01100000, 2],
    [0b11111110, 0b11111111, 7],
  ])('of %i and %i has %i bits', (a, b, bits) => expect(commonPrefixLength(id(a), id(b))).toBe(bits));
});

describe('a node id', () => {
  test('is sha256 of the peer id bytes', () => {
    const publicKey = parsePeerIdText('12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq');
    expect(NodeId.fromPublicKey(publicKey).hex).toBe(
      'dfd53212a4bd2beda3ea8e82d08285370c70a70cfe9c588e28754b23c8033121',
    );
  });
});
