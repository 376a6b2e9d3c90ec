/** Five minutes of churn on 16 processes, and its figures beside those of the simulator for the same commands. */
import { describe, expect, it } from 'vitest';
import { loadScenario, resizeScenario } from '../../testnet/scenarios/index.ts';
import { scenarioObject, simulate } from '../../testnet/simulator/index.ts';
import { recordFigure } from '../support/figures.ts';
import { expectChurnSurvived, type RunReport, runOnProcesses } from '../support/scenario-processes.ts';

/** Sessions of a minute in the median; nine of the first ones end within four minutes with this seed. */
const SIZE = { nodes: 16, speed: 120, forMs: 300_000 };
const SEED = '22';

describe('the churn scenario on 16 processes', () => {
  it('loses nothing in five minutes of sessions, and never denies a record that is there', {
    timeout: 1_200_000,
  }, async () => {
    const args = ['churn', '--nodes', '16', '--speed', '120', '--for', '5m', '--seed', SEED];
    const run = await runOnProcesses(args, 1_000_000);
    const commands = resizeScenario(loadScenario('churn').commands, SIZE);
    const simulated = scenarioObject(await simulate({ seed: SEED, commands }, { onResult: () => undefined }));
    recordFigure('churn on 16 processes, 5 min', describeRun(run.report));
    recordFigure('the same, simulated', describeRun(simulated as RunReport));
    expect(run.report.sessions.ended).toBeGreaterThanOrEqual(9);
    await expectChurnSurvived(run);
  });
});

/** Lookups of the table, but not those before a write. */
const UNASKED = /^(?:HELLO|PING|LEAVE|SYNC|FETCH|HAND_OFF|FIND_NODE(?: answer)?$)/;

function describeRun({ sessions, gets, getMs, getRequests, lost, records, perNodeAndSecond }: RunReport): string {
  const sum = (rates: typeof perNodeAndSecond) => rates.reduce((total, { bytes }) => total + bytes, 0);
  const sentBytes = sum(perNodeAndSecond);
  const unaskedBytes = sum(perNodeAndSecond.filter(({ purpose }) => UNASKED.test(purpose)));
  return [
    `${sessions.ended} sessions ended`,
    `${gets.total} gets: ${gets.right} right, ${gets.partial} partial, ${gets.error} refused, ${gets.stale + gets['not-found']} wrong`,
    `p50 ${getMs.p50.toFixed(0)} ms, p95 ${getMs.p95.toFixed(0)} ms, p99 ${getMs.p99.toFixed(0)} ms, ${getRequests.p50} requests`,
    `sent per node and second: ${sentBytes.toFixed(0)} B, unasked ${unaskedBytes.toFixed(0)} B`,
    `${lost.length} of ${records} lost`,
  ].join('; ');
}
