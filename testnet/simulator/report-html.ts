/** A run as one HTML file that needs nothing else: its tables, and plots of copies, success, load and hops. */
import { percentile } from '../scenarios/index.ts';
import { growthRows, plotGrowth } from './report-growth.ts';
import { escapeText, plotBars, plotLines } from './report-plot.ts';
import { type ReportRow, reportTables } from './report-rows.ts';
import type { SimulationReport } from './simulate.ts';

const BARS = 16;
const STYLE =
  'body{font:14px sans-serif;max-width:1360px;margin:2em auto;padding:0 1em}svg{width:640px;max-width:100%;font:11px sans-serif}' +
  'table{border-collapse:collapse;display:inline-table;vertical-align:top;margin:0 2em 1em 0}td,th{padding:2px 10px;text-align:right}' +
  'td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#f4f4f4}.failed{color:#d62728}';

/** @param reports one for each size of the network */
export function reportHtml(scenario: string, reports: readonly SimulationReport[]): string {
  const title = `Nautilus simulation: ${scenario}, seed ${reports[0]?.seed ?? ''}`;
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${escapeText(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escapeText(title)}</h1>`,
    ...(reports.length > 1 ? [plotGrowth(reports), table(growthRows(reports))] : []),
    ...reports.map(section),
    '</body></html>\n',
  ].join('\n');
}

function section(report: SimulationReport): string {
  const failures = report.failures.map((failure) => `<p class="failed">${escapeText(failure)}</p>`);
  const plots = [plotCopies(report), plotSuccess(report), plotLoad(report)];
  return [
    `<h2>${report.nodes} nodes</h2>`,
    ...failures,
    ...reportTables(report).map(table),
    '<div>',
    ...plots,
    '</div>',
    `<p>${escapeText(report.fingerprint)}</p>`,
  ].join('\n');
}

function table(rows: readonly ReportRow[]): string {
  const lines = rows.map((row, index) => {
    const tag = index === 0 ? 'th' : 'td';
    return `<tr>${row.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join('')}</tr>`;
  });
  return `<table>${lines.join('')}</table>`;
}

function plotCopies({ figures }: SimulationReport): string {
  const seen = figures.samples.flatMap(({ atMs, copies }) =>
    copies === undefined ? [] : [{ x: atMs / 60_000, copies }],
  );
  const line = (name: 'min' | 'p50' | 'max') => ({
    name,
    points: seen.map(({ x, copies }) => ({ x, y: copies[name] })),
  });
  return plotLines([line('min'), line('p50'), line('max')], {
    title: 'Copies of a record',
    xLabel: 'minutes',
    yLabel: 'copies',
    yMin: 0,
  });
}

function plotSuccess({ figures }: SimulationReport): string {
  const points = figures.samples
    .filter(({ gets }) => gets > 0)
    .map(({ atMs, gets, right }) => ({ x: atMs / 60_000, y: (right / gets) * 100 }));
  return plotLines([{ name: 'gets right, %', points }], {
    title: 'Gets that were right',
    xLabel: 'minutes',
    yLabel: '% of gets',
  });
}

/** How many nodes bear how much: fair is one heap. */
function plotLoad({ bytesReceived, elapsedMs }: SimulationReport): string {
  const rates = bytesReceived.map((bytes) => (bytes * 1_000) / elapsedMs);
  const most = percentile(rates, 1);
  const width = most > 0 ? most / BARS : 1;
  const bars = Array.from({ length: BARS }, (_, index) => ({
    label: ((index + 0.5) * width).toFixed(0),
    value: rates.filter((rate) => Math.min(BARS - 1, Math.floor(rate / width)) === index).length,
  }));
  return plotBars(bars, { title: 'Load of the nodes', xLabel: 'bytes received per second', yLabel: 'nodes' });
}
