import { describe, expect, it } from 'vitest';
import { commonPrefixLength, NodeId } from '../../../src/kademlia/index.ts';
import { randomIdInBucket, randomIdWithPrefix } from '../../../src/kademlia/random-id.ts';
import { seededRandom } from './memory-network.ts';

describe('randomIdInBucket', () => {
  it('makes ids of every bucket, and different ones', () => {
    const random = seededRandom(3);
    const self = NodeId.fromBytes(random.bytes(32));
    for (let index = 0; index < 256; index++) {
      expect(commonPrefixLength(self, randomIdInBucket(self, index, random))).toBe(index);
    }
    expect(randomIdInBucket(self, 3, random).hex).not.toBe(randomIdInBucket(self, 3, random).hex);
  });
});

describe('randomIdWithPrefix', () => {
  it('shares the bits it should, and leaves the others to chance', () => {
    const random = seededRandom(4);
    const self = NodeId.fromBytes(random.bytes(32));
    for (const bits of [0, 1, 7, 8, 9, 255]) {
      const shared = Array.from({ length: 64 }, () => commonPrefixLength(self, randomIdWithPrefix(self, bits, random)));
      expect(Math.min(...shared)).toBe(bits);
    }
    expect(randomIdWithPrefix(self, 256, random).hex).toBe(self.hex);
  });
});
