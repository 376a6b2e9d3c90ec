/** What nodes held when they lost it is elsewhere, and who asks meanwhile is told the truth. */
import { afterAll, describe, it } from 'vitest';
import { printFigures } from '../support/figures.ts';
import { expectHalfKilledSurvives, expectReplacementSurvives, type SurvivalFigures } from '../support/survive.ts';

const rows: (string | number)[][] = [['0 lost', 'gets', 'partial', 'p99, ms', 'puts', 'refused']];
const add = (what: string, { gets, partial, p99, puts, refused }: SurvivalFigures) => {
  rows.push([what, gets, `${(partial * 100).toFixed(1)} %`, p99.toFixed(0), puts, refused]);
};

describe('a network that loses half of its nodes at once', () => {
  it.each([
    // What a holder had been handed too early it dropped moments before it was its own.
    { name: '100 nodes, connections break', seed: 'half 6', nodes: 100, isSilent: false },
    { name: '100 nodes, machines fall silent', seed: '2', nodes: 100, isSilent: true },
    { name: '50 nodes, connections break', seed: '3', nodes: 50, isSilent: false },
    { name: '48 nodes, machines fall silent', seed: '5', nodes: 48, isSilent: true },
  ])('loses no record and hides none: $name', { timeout: 300_000 }, async ({ name, ...options }) => {
    add(name, await expectHalfKilledSurvives(options));
  });

  afterAll(() => printFigures(rows));
});

describe('a network of which every node is replaced in turn by one with an empty disk', () => {
  it('loses no record and hides none', { timeout: 300_000 }, async () => {
    add('24 nodes, all replaced', await expectReplacementSurvives({ seed: '1', nodes: 24 }));
  });
});
