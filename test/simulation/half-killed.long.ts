/** Half of all nodes killed, and all of them replaced, over more seeds and nodes than every run has time for. */
import { describe, it } from 'vitest';
import { recordFigure } from '../support/figures.ts';
import { expectHalfKilledSurvives, expectReplacementSurvives, type SurvivalFigures } from '../support/survive.ts';

const SEEDS = 30;

function summary(runs: readonly SurvivalFigures[]): string {
  const partial = runs.map((run) => 100 * run.partial);
  const sum = (figure: 'gets' | 'puts' | 'refused') => runs.reduce((total, run) => total + run[figure], 0);
  return (
    `0 lost; of ${sum('gets')} gets none wrong, partial ${Math.min(...partial).toFixed(1)} to ${Math.max(...partial).toFixed(1)} %; ` +
    `of ${sum('puts')} puts ${sum('refused')} refused`
  );
}

describe('a network that loses half of its nodes at once', () => {
  it.each([
    { name: 'connections break', isSilent: false },
    { name: 'machines fall silent', isSilent: true },
  ])('loses no record and hides none: $name', async ({ name, isSilent }) => {
    const runs: SurvivalFigures[] = [];
    for (let i = 0; i < SEEDS / 2; i++) {
      runs.push(await expectHalfKilledSurvives({ seed: `half ${i}`, nodes: 100, isSilent }));
    }
    recordFigure(`half of 100 nodes killed at once, ${name}, ${SEEDS / 2} seeds`, summary(runs));
  });
});

describe('a network of which every node is replaced in turn by one with an empty disk', () => {
  it('loses no record and hides none', async () => {
    const runs = [await expectReplacementSurvives({ seed: '1', nodes: 60 })];
    recordFigure('60 nodes, one replaced every minute by one with an empty disk', summary(runs));
  });
});
