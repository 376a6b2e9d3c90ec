import { describe, expect, it } from 'vitest';
import { commonPrefixLength, NodeId } from '../../../src/kademlia/index.ts';
import { randomIdInBucket } from '../../../src/kademlia/random-id.ts';
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
