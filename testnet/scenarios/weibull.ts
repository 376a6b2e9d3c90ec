/**
 * How long nodes stay: Weibull sessions (measured networks have shapes of 0.34 to 0.59; 1 is exponential). Most newcomers leave soon, and who
 * has stayed stays. `residual` is what is left for the nodes of a network that has been running: mostly the long-lived ones are met there.
 */

/** Uniform in [0, 1). */
type Uniform = () => number;

export interface Weibull {
  readonly median: number;
  readonly shape: number;
}

/** A session from its beginning, in the unit of the median. */
export function weibullSession({ median, shape }: Weibull, uniform: Uniform): number {
  return scaleOf({ median, shape }) * exponential(uniform) ** (1 / shape);
}

/** What is left of the session of a node that is met at a random moment: a length-biased session, at a random place of it. */
export function weibullResidual({ median, shape }: Weibull, uniform: Uniform): number {
  return scaleOf({ median, shape }) * gamma(1 + 1 / shape, uniform) ** (1 / shape) * uniform();
}

function scaleOf({ median, shape }: Weibull): number {
  return median / Math.LN2 ** (1 / shape);
}

function exponential(uniform: Uniform): number {
  return -Math.log(1 - uniform());
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); shape ≥ 1. */
function gamma(shape: number, uniform: Uniform): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = Math.sqrt(2 * exponential(uniform)) * Math.cos(2 * Math.PI * uniform());
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
