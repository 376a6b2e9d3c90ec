/** Partitions of an hour over more seeds than every run has time for. */
import { describe, it } from 'vitest';
import { expectHealed } from '../support/expect-healed.ts';
import { recordFigure } from '../support/figures.ts';

describe('after an hour of partition with writes on both sides', () => {
  it.each([
    { name: '100 nodes', nodes: 100, isOneWay: false, seeds: 8 },
    { name: '100 nodes, one way', nodes: 100, isOneWay: true, seeds: 4 },
    { name: '40 nodes, all of them holders', nodes: 40, isOneWay: false, seeds: 8 },
  ])('every key has the same winner everywhere: $name', async ({ name, nodes, isOneWay, seeds }) => {
    const minutes: number[] = [];
    for (let i = 0; i < seeds; i++) {
      const { tables, holders } = await expectHealed({ seed: `partition ${i}`, nodes, isOneWay });
      minutes.push(tables ?? Number.NaN, holders ?? Number.NaN);
    }
    recordFigure(
      `an hour of partition, ${name}, ${seeds} seeds: one network again, and every holder of every key the same`,
      `within ${Math.max(...minutes)} minutes`,
    );
  });
});
