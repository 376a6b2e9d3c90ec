/** What a network that keeps itself whole under churn has to show at the end of a run, whatever its size. */
import { expect } from 'vitest';
import { formatTable, repairCost, reportTables, type SimulationReport } from '../../testnet/simulator/index.ts';

/** Bytes of upkeep a second, for each node: everything but what callers asked for. */
const MAX_MAINTENANCE = 1_000;
/** How many times less repair may cost than every holder storing all it holds on all others, once an hour. */
const MIN_BELOW_RESTORE = 20;
const MIN_RIGHT = 0.999;

/** Prints the tables, which begin with the seed. */
export function expectWhole(report: SimulationReport): void {
  const tables = reportTables(report).map(formatTable).join('\n\n');
  console.log(`${report.fingerprint}\n\n${tables}`);
  const cost = repairCost(report);
  expect(report.failures).toEqual([]);
  expect(report.lost).toEqual([]);
  expect(report.figures.shareOf('right')).toBeGreaterThanOrEqual(MIN_RIGHT);
  expect(report.figures.gets['not-found'] + report.figures.gets.stale).toBe(0);
  expect(cost.maintenanceBytesPerNodeAndSecond).toBeLessThanOrEqual(MAX_MAINTENANCE);
  // With the digests, though the limit is for the records alone.
  expect(cost.belowEveryHolderComparingToo).toBeGreaterThanOrEqual(MIN_BELOW_RESTORE);
  // Something did happen, and nobody got by with less than had to be moved.
  expect(cost.necessary.moves).toBeGreaterThan(report.records);
  expect(cost.timesNecessary).toBeGreaterThanOrEqual(1);
}

/** In a line: what the churn tests are about. */
export function wholeFigures(report: SimulationReport): string {
  const { figures, lost, records, copies } = report;
  const cost = repairCost(report);
  const times = (value: number) => `${value.toFixed(1)} ×`;
  return [
    `gets right ${(figures.shareOf('right') * 100).toFixed(3)} % of ${figures.getsJudged}`,
    `${lost.length} of ${records} records lost`,
    `copies ${copies?.min} / ${copies?.p50} / ${copies?.max}`,
    `maintenance ${cost.maintenanceBytesPerNodeAndSecond.toFixed(0)} B/s a node`,
    `records moved ${times(cost.belowEveryHolder)} below every holder re-storing hourly (${times(cost.belowEveryHolderComparingToo)} with digests)`,
    `${times(cost.belowOneHolder)} below one holder doing so (${times(cost.belowOneHolderComparingToo)}; its lookups not counted)`,
    `${times(cost.timesNecessary)} what had to be moved`,
    `${(cost.comparisons / cost.pairRounds).toFixed(2)} comparisons a pair and ten minutes`,
  ].join(', ');
}
