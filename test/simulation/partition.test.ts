/** A network of two halves that did not hear each other for an hour becomes one again, and nobody holds anything else than the others. */
import { afterAll, describe, it } from 'vitest';
import { expectHealed } from '../support/expect-healed.ts';
import { printFigures } from '../support/figures.ts';

const rows: (string | number)[][] = [['an hour of partition', 'writes', 'refused', 'tables, min', 'holders, min']];

describe('after an hour of partition with writes on both sides', () => {
  it.each([
    { name: '100 nodes', seed: '1', nodes: 100 },
    { name: '40 nodes, one way', seed: '4', nodes: 40, isOneWay: true },
  ])('every key has the same winner everywhere: $name', { timeout: 300_000 }, async ({ name, ...options }) => {
    const { acknowledged, refused, tables, holders } = await expectHealed(options);
    rows.push([name, acknowledged, refused, tables ?? '-', holders ?? '-']);
  });

  afterAll(() => printFigures(rows));
});
