/** A crowd that joins a few, over more seeds than every run has time for. */
import { expect, it } from 'vitest';
import { recordFigure } from '../support/figures.ts';
import { joinCrowd } from '../support/newcomers.ts';

const SEEDS = 50;

it(`a network that grows fourfold at once hides no record: ${SEEDS} seeds`, async () => {
  const outcomes: Record<string, number> = {};
  for (let number = 0; number < SEEDS; number++) {
    const seed = `newcomers ${number}`;
    const { during, afterwards, missing } = await joinCrowd({ seed, k: 5, nodes: 6, newcomers: 18 });
    for (const [outcome, count] of Object.entries(during.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    expect.soft(during.outcomes, seed).not.toHaveProperty('NOT_FOUND');
    expect.soft(afterwards.outcomes, seed).toEqual({ found: afterwards.gets });
    expect.soft(missing, seed).toEqual([]);
  }
  const { found = 0, partial = 0, ...others } = outcomes;
  const refused = Object.values(others).reduce((sum, count) => sum + count, 0);
  recordFigure(
    `18 nodes join 6 at once, K = 5, ${SEEDS} seeds`,
    `of ${found + partial + refused} gets meanwhile ${partial} partial, ${refused} refused, none hid a record; three minutes later all right`,
  );
  // Nobody among the 2 K nearest has been given it yet, and they say so.
  expect(refused).toBeLessThan(0.01 * (found + partial));
});
