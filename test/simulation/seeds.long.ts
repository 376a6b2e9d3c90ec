/** The worlds of seeds.test.ts, thousands of them: `SEEDS=5000 FIRST=200 npm run test:long -- seeds` for others. All broken seeds are named at once. */
import { describe, expect, it } from 'vitest';
import { recordFigure } from '../support/figures.ts';
import { runRandomFaults } from '../support/random-faults.ts';
import { Tally } from '../support/tally.ts';

const FIRST = Number(process.env.FIRST ?? 200);
const SEEDS = Number(process.env.SEEDS ?? 3_000);
const IN_ONE = 100;

describe('thousands of small networks under every fault', () => {
  const tally = new Tally();
  const broken: string[] = [];
  for (let first = FIRST; first < FIRST + SEEDS; first += IN_ONE) {
    const last = Math.min(first + IN_ONE, FIRST + SEEDS) - 1;
    it(`break no promise and recover, seeds ${first} to ${last}`, async () => {
      const before = broken.length;
      for (let seed = first; seed <= last; seed++) {
        try {
          tally.add(await runRandomFaults(String(seed)));
        } catch (error) {
          broken.push(String(seed));
          console.error(error instanceof Error ? error.message : error);
        }
      }
      expect(broken.slice(before), 'broken seeds').toEqual([]);
    });
  }

  it('are as many as wanted', () => {
    const events = tally.of('checked: events');
    console.log(`${SEEDS} seeds from ${FIRST} have met\n${tally}`);
    recordFigure(
      `seeds ${FIRST} to ${FIRST + SEEDS - 1} of every fault: broken, events checked, answers held against the books`,
      `${broken.length === 0 ? 'none' : broken.join(' ')}, ${events}, ${tally.of('checked: answers of holders') + tally.of('checked: acknowledged versions against answers')}`,
    );
    expect(broken).toEqual([]);
  });
});
