/** Dead and silent peers cost hedges, not timeouts, also where every way is long. The same at 1,000 nodes is in wide-area.long.ts. */
import { expect, it } from 'vitest';
import { WIDE_AREA_MEDIAN_ROUND_TRIP_MS } from '../../testnet/simulator/index.ts';
import { printFigures } from '../support/figures.ts';
import { elapsedPercentile, wideAreaGets, wideAreaRows } from '../support/wide-area.ts';

it('gets from 100 nodes all over the world stay fast right after three in ten vanished', async () => {
  const gets = await wideAreaGets({ seed: 'wide area', nodes: 100, keys: 100 });
  printFigures(wideAreaRows(gets));
  expect(gets.whole.filter(({ outcome }) => outcome !== 'right')).toEqual([]);
  expect(gets.torn.filter(({ outcome }) => outcome !== 'right' && outcome !== 'partial')).toEqual([]);
  expect(elapsedPercentile(gets.whole, 0.5)).toBeLessThanOrEqual(4 * WIDE_AREA_MEDIAN_ROUND_TRIP_MS);
  expect(elapsedPercentile(gets.torn, 0.5)).toBeLessThanOrEqual(6 * WIDE_AREA_MEDIAN_ROUND_TRIP_MS);
  expect(elapsedPercentile(gets.torn, 0.99)).toBeLessThanOrEqual(3_000);
}, 300_000);
