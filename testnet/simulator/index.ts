/** Door of the simulator: worlds of production nodes on a virtual clock and network, replayable from a seed. */

export { percentile } from '../scenarios/index.ts';
export { assertFits } from './assert-fits.ts';
export { formatTable } from './format-table.ts';
export { constantLatency, type LatencyModel, logNormalLatency, normalLatency, uniformLatency } from './latency.ts';
export { type MeasuredLookup, measureLookups } from './measure-lookups.ts';
export { PairFaults } from './pair-faults.ts';
export { repairCost } from './repair-cost.ts';
export { reportCsv } from './report-csv.ts';
export { growthFigures, growthRows } from './report-growth.ts';
export { reportHtml } from './report-html.ts';
export { reportObject, reportTables, scenarioObject, scenarioTables } from './report-rows.ts';
export { scenarioLatency } from './scenario-latency.ts';
export { SeededRandom } from './seeded-random.ts';
export { type SimulationReport, simulate } from './simulate.ts';
export type { SimulatedNode } from './simulated-node.ts';
export { ANSWER_TO, type LookupPurpose, Traffic } from './traffic.ts';
export { WIDE_AREA_MEDIAN_ROUND_TRIP_MS, wideAreaLatency } from './wide-area-latency.ts';
export { World } from './world.ts';
