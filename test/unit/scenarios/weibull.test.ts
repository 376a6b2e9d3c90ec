import { describe, expect, it } from 'vitest';
import { percentile } from '../../../testnet/scenarios/index.ts';
import { weibullResidual, weibullSession } from '../../../testnet/scenarios/weibull.ts';
import { SeededRandom } from '../../../testnet/simulator/index.ts';

const COUNT = 20_000;
const draw = (sample: (uniform: () => number) => number): number[] => {
  const random = new SeededRandom('weibull');
  return Array.from({ length: COUNT }, () => sample(() => random.next()));
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('Weibull sessions', () => {
  it('have the median they are told, and the tail of their shape', () => {
    const sessions = draw((uniform) => weibullSession({ median: 2, shape: 0.5 }, uniform));
    expect(percentile(sessions, 0.5)).toBeGreaterThan(1.9);
    expect(percentile(sessions, 0.5)).toBeLessThan(2.1);
    // Quantiles of a Weibull: median · (log2 of 1/(1 − p)) ^ (1/shape); for p = 0.9 and shape 0.5 that is 11.03 medians.
    expect(percentile(sessions, 0.9) / 2).toBeGreaterThan(10);
    expect(percentile(sessions, 0.9) / 2).toBeLessThan(12);
  });

  it('leave more of themselves in a running network than they begin with: 3 means at shape 0.5, 1 at shape 1', () => {
    const ratio = (shape: number) =>
      mean(draw((uniform) => weibullResidual({ median: 1, shape }, uniform))) /
      mean(draw((uniform) => weibullSession({ median: 1, shape }, uniform)));
    // E[X²] / 2E[X]² = Γ(5) / 2Γ(3)² = 3 at shape 0.5.
    expect(ratio(0.5)).toBeGreaterThan(2.5);
    expect(ratio(0.5)).toBeLessThan(3.5);
    expect(ratio(1)).toBeGreaterThan(0.95);
    expect(ratio(1)).toBeLessThan(1.05);
  });
});
