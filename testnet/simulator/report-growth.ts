/** What becomes of a network's figures as it grows: one run for each size, side by side as a table, as data and as plots against log N. */
import { percentile } from '../scenarios/index.ts';
import { repairCost } from './repair-cost.ts';
import { type Line, plotLines } from './report-plot.ts';
import type { ReportRow } from './report-rows.ts';
import type { SimulationReport } from './simulate.ts';

/** NaN where nothing was measured. */
export interface GrowthFigures {
  readonly nodes: number;
  readonly lookupHops: Spread;
  readonly lookupRequests: Spread;
  readonly getHops: Spread;
  readonly getRequests: Spread;
  readonly getMs: Spread;
  /** Share of the true closest that lookups found, 0 … 1. */
  readonly overlap: number;
  readonly maintenanceBytesPerNodeAndSecond: number;
}

export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

/** By size. @param reports of the same scenario */
export function growthFigures(reports: readonly SimulationReport[]): readonly GrowthFigures[] {
  return reports
    .map((report) => {
      const { lookups, getHops, getRequests, getMs } = report.figures;
      return {
        nodes: report.nodes,
        lookupHops: spread(lookups.map(({ hops }) => hops)),
        lookupRequests: spread(lookups.map(({ requests }) => requests)),
        getHops: spread(getHops),
        getRequests: spread(getRequests),
        getMs: spread(getMs),
        overlap: spread(lookups.map(({ overlap }) => overlap)).mean,
        maintenanceBytesPerNodeAndSecond: repairCost(report).maintenanceBytesPerNodeAndSecond,
      };
    })
    .sort((a, b) => a.nodes - b.nodes);
}

interface SpreadColumns {
  readonly heading: string;
  readonly of: (figures: GrowthFigures) => Spread;
  /** Of the mean, behind the point. */
  readonly digits: number;
}

const SPREADS: readonly SpreadColumns[] = [
  { heading: 'lookup hops', of: ({ lookupHops }) => lookupHops, digits: 2 },
  { heading: 'requests', of: ({ lookupRequests }) => lookupRequests, digits: 2 },
  { heading: 'get ms', of: ({ getMs }) => getMs, digits: 0 },
];

/** Without the columns of what was measured at no size. */
export function growthRows(reports: readonly SimulationReport[]): readonly ReportRow[] {
  const sizes = growthFigures(reports);
  const measured = SPREADS.filter(({ of }) => sizes.some((figures) => Number.isFinite(of(figures).mean)));
  return [
    ['nodes', ...measured.flatMap(({ heading }) => [`${heading}, mean`, 'p50', 'p95']), 'upkeep with joining, B/s'],
    ...sizes.map(
      (figures): ReportRow => [
        String(figures.nodes),
        ...measured.flatMap(({ of, digits }) => showSpread(of(figures), digits)),
        figures.maintenanceBytesPerNodeAndSecond.toFixed(0),
      ],
    ),
  ];
}

function showSpread({ mean, p50, p95 }: Spread, digits: number): readonly string[] {
  if (Number.isNaN(mean)) return ['', '', ''];
  return [mean.toFixed(digits), p50.toFixed(0), p95.toFixed(0)];
}

/** Two plots: hops, and requests. */
export function plotGrowth(reports: readonly SimulationReport[]): string {
  const figures = growthFigures(reports);
  const line = (name: string, of: (figures: GrowthFigures) => number): Line => ({
    name,
    points: figures.map((at) => ({ x: at.nodes, y: of(at) })).filter(({ y }) => Number.isFinite(y)),
  });
  const options = { xLabel: 'nodes', isLogX: true, yMin: 0 };
  const hops = [
    line('lookup, mean', ({ lookupHops }) => lookupHops.mean),
    line('lookup, p95', ({ lookupHops }) => lookupHops.p95),
    line('get, mean', ({ getHops }) => getHops.mean),
  ];
  const requests = [
    line('lookup, mean', ({ lookupRequests }) => lookupRequests.mean),
    line('lookup, p95', ({ lookupRequests }) => lookupRequests.p95),
    line('get, mean', ({ getRequests }) => getRequests.mean),
  ];
  return [
    plotLines(hops, { ...options, title: 'Hops against the size of the network', yLabel: 'hops' }),
    plotLines(requests, { ...options, title: 'Requests against the size of the network', yLabel: 'requests' }),
  ].join('\n');
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.length === 0
    ? { mean: Number.NaN, p50: Number.NaN, p95: Number.NaN }
    : { mean, p50: percentile(values, 0.5), p95: percentile(values, 0.95) };
}
