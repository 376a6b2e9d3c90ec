import { describe, expect, it } from 'vitest';
import { percentile } from '../../../testnet/scenarios/index.ts';
import { weibullResidual, weibullScale, weibullSession } from '../../../testnet/scenarios/weibull.ts';
import { SeededRandom } from '../../../testnet/simulator/index.ts';

const COUNT = 60_000;
const draw = (sample: (uniform: () => number) => number): number[] => {
  const random = new SeededRandom('weibull');
  return Array.from({ length: COUNT }, () => sample(() => random.next()));
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const isAbout = (value: number, expected: number) => expect(Math.abs(value / expected - 1)).toBeLessThan(0.04);

describe('Weibull sessions', () => {
  it('have the median they are told, and the mean and tail of their shape', () => {
    const session = { median: 2, shape: 0.5 };
    const scale = weibullScale(session);
    expect(scale).toBeCloseTo(4.1627, 4);
    const sessions = draw((uniform) => weibullSession(session, uniform));
    isAbout(percentile(sessions, 0.5), 2);
    isAbout(mean(sessions), 2 * scale); // Γ(1 + 1/0.5) = 2
    // Quantiles of a Weibull: median · (log2 of 1/(1 − p)) ^ (1/shape); for p = 0.9 and shape 0.5 that is 11.03 medians.
    isAbout(percentile(sessions, 0.9) / 2, 11.03);
  });

  it('are exponential at shape 1', () => {
    isAbout(mean(draw((uniform) => weibullSession({ median: 3 * Math.LN2, shape: 1 }, uniform))), 3);
  });

  it('leave to who looks in at any time what the renewal theorem says', () => {
    const left = draw((uniform) => weibullResidual({ median: Math.LN2 ** 2, shape: 0.5 }, uniform)); // scale 1
    isAbout(mean(left), 6); // E[X²] / 2E[X] = Γ(5) / 2Γ(3)
    isAbout(percentile(left, 0.5), 2.817);
    // An exponential session does not age.
    isAbout(mean(draw((uniform) => weibullResidual({ median: 3 * Math.LN2, shape: 1 }, uniform))), 3);
  });
});
