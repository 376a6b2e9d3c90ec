/** Scenarios in which nodes lose everything they held, and what must be true while they run and afterwards. */
import { expect } from 'vitest';
import { parseScenario } from '../../testnet/scenarios/index.ts';
import { percentile, simulate } from '../../testnet/simulator/index.ts';

export interface SurvivalOptions {
  readonly seed: string;
  readonly nodes: number;
}

export interface SurvivalFigures {
  readonly gets: number;
  /** Share of the gets that said they could not be sure, 0 … 1. */
  readonly partial: number;
  readonly p99: number;
  readonly puts: number;
  /** Said to have failed. */
  readonly refused: number;
  /** Gets of the last two minutes of load that were not simply right. */
  readonly lateDoubts: number;
}

/** Half of all nodes at once, after every record has its copies. `isSilent`: their machines, too, so that no connection breaks. */
export async function expectHalfKilledSurvives(
  options: SurvivalOptions & { readonly isSilent: boolean },
): Promise<SurvivalFigures> {
  const figures = await expectSurvival(options, [
    'load gets=3/s puts=0.5/s for=4m',
    'wait 1s',
    `kill half${options.isSilent ? ' silent' : ''}`,
  ]);
  // The suspicion time, and comparing with the new neighbours: then nobody has a doubt any more.
  expect(figures.lateDoubts).toBe(0);
  return figures;
}

/** Every node in turn is killed and comes back with an empty disk a moment later. */
export function expectReplacementSurvives(options: SurvivalOptions): Promise<SurvivalFigures> {
  return expectSurvival(options, [`load gets=1/s puts=0.2/s for=${options.nodes}m`, 'roll all every=60s wiped']);
}

async function expectSurvival({ seed, nodes }: SurvivalOptions, disaster: readonly string[]): Promise<SurvivalFigures> {
  const lines = [
    'latency wide-area',
    `nodes ${nodes}`,
    'put 2/node size=256 ttl=7d',
    'wait 2m',
    `assert copies >= ${Math.min(20, nodes)}`,
    ...disaster,
    'wait',
    'assert lost 0',
    'wait 2m',
    `assert copies >= ${Math.min(20, nodes / 2)}`,
  ];
  const report = await simulate(
    { seed, commands: parseScenario(lines.join('\n'), 'test') },
    { onResult: () => undefined },
  );
  const { gets, puts, getMs, getsJudged, samples } = report.figures;
  const late = samples.filter((sample) => sample.gets > 0).slice(-2);
  const { right, partial, ...wrong } = gets;
  expect({ seed, failures: report.failures, lost: report.lost, wrong }).toEqual({
    seed,
    failures: [],
    lost: [],
    wrong: { stale: 0, 'not-found': 0, error: 0 },
  });
  expect(right).toBeGreaterThan(0);
  return {
    gets: getsJudged,
    partial: partial / getsJudged,
    p99: percentile(getMs, 0.99),
    puts: puts.acknowledged + puts.failed,
    refused: puts.failed,
    lateDoubts: late.reduce((sum, sample) => sum + sample.gets - sample.right, 0),
  };
}
