/**
 * Small worlds in which everything goes wrong for a while, a seed each: nodes killed with and without a word, stopped, restarted with and
 * without their disk, halves that cannot hear each other, lost and doubled frames, clocks set, disks that lose what was not flushed.
 */
import { describe, it } from 'vitest';
import { runRandomFaults } from '../support/random-faults.ts';

const SEEDS = 200;
const IN_ONE = 20;

describe('a small network under every fault', () => {
  for (let first = 0; first < SEEDS; first += IN_ONE) {
    it(`breaks no promise and recovers, seeds ${first} to ${first + IN_ONE - 1}`, async () => {
      for (let seed = first; seed < first + IN_ONE; seed++) await runRandomFaults(String(seed));
    });
  }
});
