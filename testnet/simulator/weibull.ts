/**
 * How long nodes stay: Weibull, as measured networks do (shapes 0.34 to 0.59: Stutzbach and Rejaie, "Understanding churn in peer-to-peer
 * networks", IMC 2006). Below shape 1 most leave soon and few stay very long; shape 1 is the exponential. Not here: what leaves (churn.ts).
 */
import { assert } from '../../src/core/index.ts';
import type { SeededRandom } from './seeded-random.ts';

/** The scale that puts half of the values below `median`. */
export function weibullScale(shape: number, median: number): number {
  return median / Math.LN2 ** (1 / shape);
}

/** @returns a value in the unit of `scale` */
export function weibull(random: SeededRandom, shape: number, scale: number): number {
  return scale * exponential(random) ** (1 / shape);
}

/**
 * What is left of a session for somebody who looks in at any time: long sessions are met in proportion to their length, at a uniform point of
 * each. The length-biased Weibull is scale · G^(1/shape), with G of the gamma distribution with shape 1 + 1/shape.
 */
export function residualWeibull(random: SeededRandom, shape: number, scale: number): number {
  return random.next() * scale * gamma(random, 1 + 1 / shape) ** (1 / shape);
}

/** Mean 1. */
export function exponential(random: SeededRandom): number {
  return -Math.log(1 - random.next());
}

/** Scale 1, shape ≥ 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
function gamma(random: SeededRandom, shape: number): number {
  assert(shape >= 1, 'this method needs a shape of at least 1');
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
