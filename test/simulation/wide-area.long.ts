/** The size the promise is made for: 1,000 nodes all over the world, three in ten of them gone without a word. */
import { expect, it } from 'vitest';
import { formatTable, WIDE_AREA_MEDIAN_ROUND_TRIP_MS } from '../../testnet/simulator/index.ts';
import { printFigures, recordFigure } from '../support/figures.ts';
import { elapsedPercentile, wideAreaGets, wideAreaRows } from '../support/wide-area.ts';

it('gets from 1,000 nodes all over the world stay fast right after three in ten vanished', async () => {
  const gets = await wideAreaGets({ seed: 'wide area', nodes: 1_000, keys: 400 });
  const rows = wideAreaRows(gets);
  printFigures(rows);
  for (const [name, ...figures] of rows.slice(1)) {
    recordFigure(`gets, 1,000 nodes, wide area, ${name}: ${rows[0]!.slice(1).join(', ')}`, figures.join(', '));
  }
  expect(gets.whole.filter(({ outcome }) => outcome !== 'right')).toEqual([]);
  expect(gets.torn.filter(({ outcome }) => outcome !== 'right' && outcome !== 'partial')).toEqual([]);
  expect(elapsedPercentile(gets.torn, 0.5), formatTable(rows)).toBeLessThanOrEqual(6 * WIDE_AREA_MEDIAN_ROUND_TRIP_MS);
  expect(elapsedPercentile(gets.torn, 0.99), formatTable(rows)).toBeLessThanOrEqual(3_000);
});
