/** Every scenario that comes with Nautilus, small enough for every run of the tests: its own asserts are the expectation. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { NautilusError } from '../../src/core/index.ts';
import {
  loadScenario,
  parseScenario,
  resizeScenario,
  type ScenarioCommand,
  scenarioNames,
} from '../../testnet/scenarios/index.ts';
import {
  growthRows,
  reportCsv,
  reportHtml,
  reportObject,
  reportTables,
  simulate,
} from '../../testnet/simulator/index.ts';

const MINUTE_MS = 60_000;
const SIZES: Readonly<Record<string, { readonly nodes: number; readonly minutes: number }>> = {
  churn: { nodes: 12, minutes: 5 },
  flapping: { nodes: 12, minutes: 1 },
  growth: { nodes: 12, minutes: 1 },
  'half-killed': { nodes: 12, minutes: 1 },
  lookups: { nodes: 12, minutes: 1 },
  partition: { nodes: 8, minutes: 5 },
  'rolling-restart': { nodes: 8, minutes: 5 },
  steady: { nodes: 10, minutes: 1 },
};

async function run(seed: string, commands: readonly ScenarioCommand[]) {
  const results: string[] = [];
  const report = await simulate(
    { seed, commands },
    { onResult: ({ text }, _atMs, result) => results.push(`${text}: ${result}`) },
  );
  return { report, results };
}

describe('the scenarios', () => {
  it.each(scenarioNames())('%s holds what it asserts', { timeout: 120_000 }, async (name) => {
    const { nodes, minutes } = SIZES[name]!;
    const commands = resizeScenario(loadScenario(name).commands, { nodes, forMs: minutes * MINUTE_MS });
    const { report } = await run('7', commands);
    expect(report.failures).toEqual([]);
    expect(report.figures.getsJudged + report.figures.lookups.length).toBeGreaterThan(0);
    expect(report.lost).toEqual([]);
  });
});

describe('a run', () => {
  it('tells who has joined, and is left while others still do when it is interrupted', async () => {
    const abort = new AbortController();
    let joined = 0;
    const onJoined = () => {
      if (++joined === 3) abort.abort(new NautilusError('ABORTED', 'interrupted'));
    };
    const commands = parseScenario('nodes 40', 'x');
    const running = simulate({ seed: '1', commands, signal: abort.signal, onJoined }, { onResult: () => undefined });
    await expect(running).rejects.toThrow('interrupted');
    expect(joined).toBeLessThan(40);
  });

  it('leaves nothing with a signal that outlives it, which would keep its whole world alive', async () => {
    const { signal } = new AbortController();
    const commands = parseScenario('nodes 3', 'x');
    await simulate({ seed: '1', commands, signal }, { onResult: () => undefined });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('lets nodes dial anew whom they may not stay connected to', async () => {
    const commands = parseScenario('nodes 60 recordless\nwait 1m', 'x');
    const dialsOf = async (maxConnections?: number) =>
      (await simulate({ seed: '1', commands, maxConnections }, { onResult: () => undefined })).traffic
        .filter(({ purpose }) => purpose === 'HELLO')
        .map(({ frames }) => frames)[0];
    expect(await dialsOf(10)).toBeGreaterThan((await dialsOf())! * 1.2);
  });

  it('counts what does not hold, goes on, and reports it', async () => {
    const { report, results } = await run(
      '1',
      parseScenario('nodes 2\nput k v from=0\nassert absent k\nassert found k w\nassert alive 2', 'x'),
    );
    expect(report.failures).toHaveLength(2);
    expect(report.failures[0]).toMatch(/^line 3: assert absent k: FAILED at node \d: v( \(partial\))?$/);
    expect(results.at(-1)).toBe('assert alive 2: holds, it is 2');
  });

  it('sees a loss: every holder is wiped, and nobody else has the record', async () => {
    const commands = parseScenario(
      'nodes 3\nput k v from=0\nwait 5s\nkill all\nrestart 0 wiped\nrestart 1,2 wiped\nassert lost 0',
      'x',
    );
    const { report } = await run('2', commands);
    expect(report.lost).toEqual(['k']);
    expect(report.failures).toHaveLength(1);
  });

  it('ends at a command that cannot be done, with its line', async () => {
    await expect(run('3', parseScenario('nodes 2\nkill 7', 'x'))).rejects.toThrow(
      'line 2: kill 7: there is no node 7: they are numbered 0 to 1',
    );
    await expect(run('3', parseScenario('nodes 2\nkill 1\nget k from=1', 'x'))).rejects.toThrow(
      'line 3: get k from=1: node 1 is down',
    );
  });

  it('is written as tables, CSV, JSON and one page without anything from elsewhere', async () => {
    const commands = parseScenario('nodes 3\nput 5 size=32\nload gets=1/s for=3m\nlookups 3\nwait', 'x');
    const { report } = await run('4', commands);
    const csv = reportCsv([report]).trimEnd().split('\n');
    expect(csv[0]).toMatch(/^nodes,minute,alive,gets,right,copies_min,copies_p50,copies_max,bytes_hello,/);
    expect(csv).toHaveLength(1 + 4);
    expect(csv[2]).toMatch(/^3,\d+\.\d\d,3,(\d+),\1,3,3,3,/);
    expect(reportTables(report)[0]).toContainEqual(['records lost', '0 of 5']);
    expect(reportTables(report)[0]).toContainEqual(['copies per record, min / p50 / max', '3 / 3 / 3']);
    expect(JSON.parse(JSON.stringify(reportObject(report)))).toMatchObject({
      seed: '4',
      records: 5,
      lost: [],
      failures: [],
      lookups: { overlap: 1 },
      lookupHops: { mean: 1, p50: 1, p95: 1, p99: 1 },
    });
    const html = reportHtml('<x>', [report, report]);
    expect(html).not.toMatch(/<x>|https?:|<script|NaN|undefined/);
    expect(html.match(/<svg/g)).toHaveLength(2 + 2 * 3);
  });

  it('of nodes without records says nothing of records', async () => {
    const reports = [];
    for (const nodes of [3, 5])
      reports.push((await run('5', parseScenario(`nodes ${nodes} recordless\nlookups 3`, 'x'))).report);
    expect(reportTables(reports[0]!)[0]).toEqual([
      ['figure', 'value'],
      ['nodes alive', '3 of 3'],
      ['lookups: true closest found', '100.000 %'],
    ]);
    expect(growthRows(reports)).toEqual([
      ['nodes', 'lookup hops, mean', 'p50', 'p95', 'requests, mean', 'p50', 'p95', 'upkeep with joining, B/s'],
      ['3', '1.00', '1', '1', '2.00', '2', '2', expect.stringMatching(/^\d+$/)],
      ['5', '1.00', '1', '1', '4.00', '4', '4', expect.stringMatching(/^\d+$/)],
    ]);
    expect(reportHtml('lookups', reports)).not.toMatch(/NaN|undefined/);
  });
});
