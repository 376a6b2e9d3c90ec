/** The figures of a run as rows of a table, and as one plain object for programs. Not here: how either is printed. */
import { percentile, type ScenarioReport } from '../scenarios/index.ts';
import { repairCost } from './repair-cost.ts';
import type { SimulationReport } from './simulate.ts';
import { maintenanceOf, type ShareTotals, type TrafficShare, trafficShares } from './traffic-shares.ts';

/** A title and its cells; numbers are written already. */
export type ReportRow = readonly [title: string, ...cells: string[]];

export function reportTables(report: SimulationReport): readonly (readonly ReportRow[])[] {
  return tables(report, [repairRows(report)]);
}

/** Of a run wherever it was: what only the simulator can know is not in them. */
export function scenarioTables(report: ScenarioReport): readonly (readonly ReportRow[])[] {
  return tables(report, []);
}

function tables(report: ScenarioReport, more: readonly (readonly ReportRow[])[]): readonly (readonly ReportRow[])[] {
  const all = [summaryRows(report), timeRows(report), shareRows(report), ...more, trafficRows(report)];
  return all.filter((rows) => rows.length > 1);
}

function summaryRows(report: ScenarioReport): readonly ReportRow[] {
  const { figures, copies, records, lost, alive, nodes } = report;
  const { gets, puts, sessions, getsJudged, lookups } = figures;
  const percent = (share: number) => `${(share * 100).toFixed(3)} %`;
  const rows: ReportRow[] = [
    ['figure', 'value'],
    ['nodes alive', `${alive} of ${nodes}`],
  ];
  if (sessions.ended > 0) rows.push(['sessions ended / begun', `${sessions.ended} / ${sessions.begun}`]);
  if (getsJudged > 0) {
    rows.push(
      ['gets', String(getsJudged)],
      ['  right', percent(figures.shareOf('right'))],
      ['  partial', percent(figures.shareOf('partial'))],
      ['  wrong (stale)', String(gets.stale)],
      ['  wrong (not found)', String(gets['not-found'])],
      ['  refused', String(gets.error)],
    );
  }
  const putsBegun = puts.acknowledged + puts.failed;
  if (putsBegun > 0) rows.push(['puts acknowledged', `${puts.acknowledged} of ${putsBegun}`]);
  if (lookups.length > 0) rows.push(['lookups: true closest found', percent(meanOf(lookups.map((l) => l.overlap)))]);
  if (copies !== undefined) {
    rows.push(['copies per record, min / p50 / max', `${copies.min} / ${copies.p50} / ${copies.max}`]);
  }
  if (records > 0) rows.push(['records lost', `${lost.length} of ${records}`]);
  return rows;
}

function timeRows({ figures }: ScenarioReport): readonly ReportRow[] {
  const row = (title: string, values: readonly number[], digits: number): ReportRow[] =>
    values.length === 0
      ? []
      : [[title, ...[0.5, 0.95, 0.99].map((share) => percentile(values, share).toFixed(digits))]];
  return [
    ['', 'p50', 'p95', 'p99'],
    ...row('get ms', figures.getMs, 0),
    ...row('get hops', figures.getHops, 0),
    ...row('get requests', figures.getRequests, 0),
    ...row('put ms', figures.putMs, 0),
    ...row(
      'lookup ms',
      figures.lookups.map(({ elapsedMs }) => elapsedMs),
      0,
    ),
    ...row(
      'lookup hops',
      figures.lookups.map(({ hops }) => hops),
      0,
    ),
    ...row(
      'lookup requests',
      figures.lookups.map(({ requests }) => requests),
      0,
    ),
  ];
}

const SHARE_TITLES: Readonly<Record<TrafficShare, string>> = {
  gets: 'gets',
  puts: 'puts: finding holders, storing',
  measuring: 'lookups of the scenario',
  table: 'table: refresh, watch, pings, connections',
  compare: 'comparing with other holders',
  move: 'records from holder to holder',
};

/** By what it was for. Bytes of frames: what TCP and encryption add is not simulated. */
function shareRows(report: ScenarioReport): readonly ReportRow[] {
  const { nodeSeconds } = report;
  const shares = trafficShares(report.traffic);
  const row = (title: string, { frames, bytes }: ShareTotals): ReportRow => [
    title,
    (frames / nodeSeconds).toFixed(3),
    (bytes / nodeSeconds).toFixed(1),
  ];
  const rows = (Object.keys(SHARE_TITLES) as TrafficShare[])
    .filter((share) => shares[share].frames > 0)
    .map((share) => row(SHARE_TITLES[share], shares[share]));
  return [
    ['per node and second, for', 'frames', 'bytes'],
    ...rows,
    row('maintenance: table, comparing, moving', maintenanceOf(shares)),
  ];
}

/** What keeping copies cost, beside what it would cost by other means in the same run. */
function repairRows(report: SimulationReport): readonly ReportRow[] {
  const { recordHours, movedBytes, comparedBytes, byEveryHolder, byOneHolder, necessary, ...cost } = repairCost(report);
  if (recordHours === 0) return [];
  const ratio = (value: number) => (Number.isFinite(value) ? value.toFixed(2) : '');
  const row = (title: string, bytes: number): ReportRow => [
    title,
    (bytes / recordHours).toFixed(1),
    ratio(bytes / movedBytes),
  ];
  return [
    ['keeping copies, per record and hour', 'bytes', '× moved'],
    row('moved between holders', movedBytes),
    row('compared', comparedBytes),
    row('had to be moved', necessary.bytes),
    row('every holder stores on all, hourly', byEveryHolder.bytes),
    row('one holder stores on all, hourly', byOneHolder.bytes),
    row('  and its lookup', byOneHolder.lookups * cost.lookupBytes),
    ['comparisons per pair of holders and ten minutes', ratio(cost.comparisons / cost.pairRounds), ''],
  ];
}

function trafficRows(report: ScenarioReport): readonly ReportRow[] {
  const perNode = perNodeAndSecond(report);
  const sum = { purpose: 'all', frames: 0, bytes: 0 };
  for (const { frames, bytes } of perNode) {
    sum.frames += frames;
    sum.bytes += bytes;
  }
  return [
    ['sent per node and second', 'frames', 'bytes'],
    ...[...perNode, sum].map(({ purpose, frames, bytes }): ReportRow => [purpose, frames.toFixed(3), bytes.toFixed(1)]),
  ];
}

/** What every node sends in a second, on average over the run and its living nodes, by purpose. */
function perNodeAndSecond(report: ScenarioReport): readonly PurposeRate[] {
  const { traffic, nodeSeconds } = report;
  return traffic.map(({ purpose, frames, bytes }) => ({
    purpose,
    frames: frames / nodeSeconds,
    bytes: bytes / nodeSeconds,
  }));
}

interface PurposeRate {
  readonly purpose: string;
  readonly frames: number;
  readonly bytes: number;
}

/** Everything of the tables, JSON-safe. */
export function reportObject(report: SimulationReport): object {
  return { ...scenarioObject(report), repair: repairCost(report), fingerprint: report.fingerprint };
}

/** Everything of `scenarioTables`, JSON-safe. */
export function scenarioObject(report: ScenarioReport & { readonly seed: string }): object {
  const { seed, elapsedMs, nodes, alive, figures, records, lost, copies, failures } = report;
  const summary = (values: readonly number[]) =>
    values.length === 0
      ? null
      : {
          mean: meanOf(values),
          p50: percentile(values, 0.5),
          p95: percentile(values, 0.95),
          p99: percentile(values, 0.99),
        };
  const { lookups } = figures;
  return {
    seed,
    elapsedMs,
    nodes,
    alive,
    gets: { total: figures.getsJudged, ...figures.gets },
    puts: figures.puts,
    sessions: figures.sessions,
    getMs: summary(figures.getMs),
    getHops: summary(figures.getHops),
    getRequests: summary(figures.getRequests),
    putMs: summary(figures.putMs),
    lookups: lookups.length === 0 ? null : { overlap: meanOf(lookups.map(({ overlap }) => overlap)) },
    lookupMs: summary(lookups.map(({ elapsedMs }) => elapsedMs)),
    lookupHops: summary(lookups.map(({ hops }) => hops)),
    lookupRequests: summary(lookups.map(({ requests }) => requests)),
    perNodeAndSecond: perNodeAndSecond(report),
    copies: copies ?? null,
    records,
    lost,
    failures,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
