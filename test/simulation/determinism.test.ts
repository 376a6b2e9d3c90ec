import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../testnet/simulator/index.ts';

const MAIN = fileURLToPath(new URL('../../testnet/simulator/main.ts', import.meta.url));

/** Everything but the last line, which is about the machine. */
const reproducible = (report: string) => report.trimEnd().split('\n').slice(0, -1).join('\n');

async function simulateHere(seed: string): Promise<string> {
  const lines: string[] = [];
  const settings = { seed, nodes: 40, lookups: 40, medianLatencyMs: 20, sigma: 0.4, loss: 0.02, kill: 0.2 };
  await simulate(settings, { write: (text) => lines.push(text), progress: () => undefined });
  return reproducible(lines.join(''));
}

async function simulateInNewProcess(seed: string): Promise<string> {
  const args = ['--nodes', '40', '--lookups', '40', '--loss', '0.02', '--kill', '0.2', '--seed', seed];
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN, ...args]);
  return reproducible(stdout);
}

describe('a seed', () => {
  it('gives one run: the same report and trace hash twice in this process and in a fresh one', async () => {
    const first = await simulateHere('11');
    expect(first).toMatch(/^seed 11\n.* trace [0-9a-f]{16}$/s);
    expect(await simulateHere('11')).toBe(first);
    expect(await simulateInNewProcess('11')).toBe(first);
  });

  it('gives another run than another seed', async () => {
    const [first, second] = [await simulateHere('12'), await simulateHere('13')];
    const hashes = [first, second].map((report) => report.slice(-16));
    expect(hashes[0]).not.toBe(hashes[1]);
  });
});
