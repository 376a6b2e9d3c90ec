import { describe, expect, it } from 'vitest';
import { SeededRandom, World } from '../../../testnet/simulator/index.ts';
import { NearestNodes } from '../../../testnet/simulator/nearest-nodes.ts';

const random = new SeededRandom('nearest');

/** By the definition: xor as a number. */
function bruteForce(world: World, id: Uint8Array, count: number): number[] {
  const distanceOf = (bytes: Uint8Array) => BigInt(`0x${[...bytes].map((byte, i) => hex(byte ^ id[i]!)).join('')}`);
  return world.nodes
    .map(({ number, self }) => ({ number, distance: distanceOf(self.id.bytes) }))
    .sort((a, b) => (a.distance < b.distance ? -1 : 1))
    .slice(0, count)
    .map(({ number }) => number);
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

describe('NearestNodes', () => {
  it.each([
    [1, 1],
    [1, 5],
    [20, 5],
    [200, 1],
    [200, 20],
    [200, 160],
  ])('of %i nodes finds the %i nearest to any id', async (nodes, count) => {
    const world = await World.create({ seed: `nearest ${nodes}`, nodes, joined: false });
    const nearest = new NearestNodes(world.nodes, count);
    const ids = [...Array.from({ length: 20 }, () => random.bytes(32)), world.nodes[0]!.self.id.bytes];
    for (const id of ids) {
      expect(nearest.of(id).map(({ number }) => number)).toEqual(bruteForce(world, id, count));
      expect(nearest.of(id)).toBe(nearest.of(id));
    }
  });
});
