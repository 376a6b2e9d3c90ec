import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeRun, runFaultyWorld } from '../support/faulty-world.ts';

const SUPPORT = fileURLToPath(new URL('../support/faulty-world.ts', import.meta.url));

/** The same run where nothing else has run before it. */
async function describeInNewProcess(seed: string): Promise<string> {
  const script = `import { describeRun, runFaultyWorld } from ${JSON.stringify(SUPPORT)};
    console.log(describeRun(await runFaultyWorld(${JSON.stringify(seed)})));`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  return (await promisify(execFile)(process.execPath, args)).stdout.trim();
}

describe('a world in which everything goes wrong', () => {
  it('has met every fault, and none of its nodes takes another for a liar', async () => {
    const { world, churn, outcomes } = await runFaultyWorld('every fault');
    for (const [cause, frames] of Object.entries(world.network.traffic.dropped)) {
      expect(frames, `frames dropped: ${cause}`).toBeGreaterThan(0);
    }
    expect(world.network.traffic.duplicated).toBeGreaterThan(0);
    for (const [what, times] of Object.entries(churn.counts)) expect(times, what).toBeGreaterThan(0);
    expect([...world.misbehaviour]).toEqual([]);
    expect(outcomes.filter((outcome) => outcome.endsWith('done')).length).toBeGreaterThan(outcomes.length / 4);
  });

  it('is the same from its seed, in this process again and in a fresh one, and another from another seed', async () => {
    const first = describeRun(await runFaultyWorld('21'));
    expect(describeRun(await runFaultyWorld('21'))).toBe(first);
    expect(await describeInNewProcess('21')).toBe(first);
    expect(describeRun(await runFaultyWorld('22')).replace('seed 22', 'seed 21')).not.toBe(first);
  });
});
