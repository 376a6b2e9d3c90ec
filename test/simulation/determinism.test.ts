import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../testnet/scenarios/index.ts';
import { simulate } from '../../testnet/simulator/index.ts';

const REPORTER = fileURLToPath(new URL('../support/print-simulation.ts', import.meta.url));
const SCENARIO = `
loss 2%
nodes 12
put 1/node size=64
kill random 3
load gets=2/s puts=1/s for=10s
churn median=20s away=5s for=20s
lookups 10
wait
`;

/** Everything a run says, as one text. */
async function simulateHere(seed: string): Promise<string> {
  const lines: string[] = [];
  const { fingerprint, figures } = await simulate(
    { seed, commands: parseScenario(SCENARIO, 'determinism') },
    { onResult: ({ text }, atMs, result) => lines.push(`${atMs} ${text}: ${result}`) },
  );
  return [...lines, JSON.stringify(figures.gets), figures.getMs.join(), fingerprint].join('\n');
}

async function simulateInNewProcess(seed: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', REPORTER, seed, SCENARIO]);
  return stdout.trimEnd();
}

describe('a seed', () => {
  it('gives one run: the same figures and trace hash twice in this process and in a fresh one', async () => {
    const first = await simulateHere('11');
    expect(first).toMatch(/seed 11 .* trace [0-9a-f]{16}$/);
    expect(await simulateHere('11')).toBe(first);
    expect(first.endsWith(await simulateInNewProcess('11'))).toBe(true);
  });

  it('gives another run than another seed', async () => {
    const [first, second] = [await simulateHere('12'), await simulateHere('13')];
    expect(first.slice(-16)).not.toBe(second.slice(-16));
  });
});
