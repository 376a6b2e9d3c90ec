/**
 * What lookups cost as the network grows tenfold and tenfold again: hops and requests must grow with log N at most. The table goes to the
 * figures, the plots to test/results/growth.html. GROWTH_NODES=100000 adds a size, of nodes that keep no records: tables and lookups are the same
 * (CONTRIBUTING.md says what memory it wants).
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadScenario, resizeScenario } from '../../testnet/scenarios/index.ts';
import { growthFigures, reportHtml, type SimulationReport, simulate } from '../../testnet/simulator/index.ts';
import { recordFigure } from '../support/figures.ts';

const SIZES = [100, 1_000, 10_000];
const RECORDLESS = (process.env.GROWTH_NODES ?? '').split(',').filter(Boolean).map(Number);
/** In place of 300: a node of 8,000 takes a seventh less memory with 100, and one of 100,000 another tenth less with 64. */
const RECORDLESS_CONNECTIONS = 64;
const SEED = '7';
const K = 20;
const PAGE = fileURLToPath(new URL('../results/growth.html', import.meta.url));

it('finds the closest nodes in hops and requests that grow with the logarithm of the network', {
  timeout: 86_400_000,
}, async () => {
  const reports: SimulationReport[] = [];
  for (const nodes of [...SIZES, ...RECORDLESS]) {
    const before = process.cpuUsage().user;
    const isRecordless = RECORDLESS.includes(nodes);
    const scenario = isRecordless ? 'lookups' : 'growth';
    const commands = resizeScenario(loadScenario(scenario).commands, { nodes });
    const report = await simulate(
      { seed: SEED, commands, maxConnections: isRecordless ? RECORDLESS_CONNECTIONS : undefined },
      { onResult: ({ text }, _atMs, result) => process.stderr.write(`${nodes} nodes: ${text}: ${result}\n`) },
    );
    expect(report.failures).toEqual([]);
    reports.push(report);
    const seconds = (process.cpuUsage().user - before) / 1e6;
    const [figures] = growthFigures([report]);
    expect(figures?.overlap).toBeGreaterThanOrEqual(0.99);
    expect(figures?.lookupHops.p95).toBeLessThanOrEqual(1 + Math.log10(nodes));
    expect(figures?.lookupRequests.p50).toBeLessThanOrEqual(K + 3 * Math.log10(nodes));
    recordFigure(`${scenario}: ${nodes} simulated nodes, 500 lookups, seed ${SEED}`, describe(figures, seconds));
    writeFileSync(PAGE, reportHtml('growth', reports));
  }
});

function describe(figures: ReturnType<typeof growthFigures>[number] | undefined, cpuSeconds: number): string {
  if (figures === undefined) return '';
  const { lookupHops: hops, lookupRequests: requests, getMs, overlap } = figures;
  return [
    `overlap ${overlap.toFixed(4)}`,
    `hops mean ${hops.mean.toFixed(2)} p95 ${hops.p95}`,
    `requests mean ${requests.mean.toFixed(1)} p95 ${requests.p95}`,
    ...(getMs.p50 > 0 ? [`gets p50 ${getMs.p50.toFixed(0)} ms p95 ${getMs.p95.toFixed(0)} ms`] : []),
    `${cpuSeconds.toFixed(0)} s of CPU`,
  ].join(', ');
}
