/**
 * Small worlds in which everything goes wrong for a while, a seed each: what must hold is checked after every event, and once the faults have
 * stopped everything must work again. Thousands more are in seeds.long.ts.
 */
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../support/fault-kinds.ts';
import { runRandomFaults } from '../support/random-faults.ts';
import { Tally } from '../support/tally.ts';

const SEEDS = 200;
const IN_ONE = 10;
const TIMEOUT_MS = 120_000;
/** Of the long test, each of which broke a promise once. */
const FOUND = ['2080', '2427', '2461', '2512'];
/** How often each kind must have been met, over all seeds. */
const AT_LEAST = 10;

describe('a small network under every fault', () => {
  const tally = new Tally();
  let seeds = 0;
  for (let first = 0; first < SEEDS; first += IN_ONE) {
    it(`breaks no promise and recovers, seeds ${first} to ${first + IN_ONE - 1}`, { timeout: TIMEOUT_MS }, async () => {
      for (let seed = first; seed < first + IN_ONE; seed++) {
        tally.add(await runRandomFaults(String(seed)));
        seeds++;
      }
    });
  }

  it.each(FOUND)('keeps the promise that it broke under seed %s', { timeout: TIMEOUT_MS }, async (seed) => {
    await runRandomFaults(seed);
  });

  it('has met every kind of fault', ({ skip }) => {
    if (seeds < SEEDS) skip('only some of the seeds were run');
    console.log(`${seeds} seeds have met\n${tally}`);
    for (const kind of FAULT_KINDS) expect(tally.of(kind), kind).toBeGreaterThanOrEqual(AT_LEAST);
  });
});
