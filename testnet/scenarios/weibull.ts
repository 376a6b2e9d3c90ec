/**
 * How long nodes stay: Weibull, as measured networks do (shapes 0.34 to 0.59: Stutzbach and Rejaie, "Understanding churn in peer-to-peer
 * networks", IMC 2006). Below shape 1 most leave soon and few stay very long; shape 1 is the exponential. Not here: what leaves
 * (background-commands.ts, the simulator's churn.ts).
 */

/** Uniform in [0, 1). */
type Uniform = () => number;

export interface Weibull {
  readonly median: number;
  readonly shape: number;
}

/** A session from its beginning, in the unit of the median. */
export function weibullSession({ median, shape }: Weibull, uniform: Uniform): number {
  return weibullScale({ median, shape }) * exponential(uniform) ** (1 / shape);
}

/**
 * What is left of a session for somebody who looks in at any time, so of those in a network that has been there for long: long sessions are
 * met in proportion to their length, at a uniform point of each. The length-biased Weibull is scale · G^(1/shape), with G of the gamma
 * distribution with shape 1 + 1/shape.
 */
export function weibullResidual({ median, shape }: Weibull, uniform: Uniform): number {
  return uniform() * weibullScale({ median, shape }) * gamma(1 + 1 / shape, uniform) ** (1 / shape);
}

export function weibullScale({ median, shape }: Weibull): number {
  return median / Math.LN2 ** (1 / shape);
}

/** Mean 1. */
function exponential(uniform: Uniform): number {
  return -Math.log(1 - uniform());
}

/** Scale 1, shape ≥ 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
function gamma(shape: number, uniform: Uniform): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = Math.sqrt(2 * exponential(uniform)) * Math.cos(2 * Math.PI * uniform());
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
