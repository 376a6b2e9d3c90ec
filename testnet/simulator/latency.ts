/** How long a frame is under way, one way. A model may depend on the pair: a measured matrix is another function of the same shape. */
import type { SeededRandom } from './seeded-random.ts';

/** @returns ms, ≥ 0. `from` and `to` are the numbers of the nodes. */
export type LatencyModel = (from: number, to: number, random: SeededRandom) => number;

export function constantLatency(ms: number): LatencyModel {
  return () => ms;
}

/** Delays around a mean, as on one quiet path; never negative. */
export function normalLatency(meanMs: number, deviationMs: number): LatencyModel {
  return (_from, _to, random) => Math.max(0, meanMs + deviationMs * random.normal());
}

/** Any delay in the range is as likely: frames overtake each other. */
export function uniformLatency(minMs: number, maxMs: number): LatencyModel {
  return (_from, _to, random) => minMs + random.next() * (maxMs - minMs);
}

/** Most frames near the median, a few much later, as on the internet. `sigma` is that of the underlying normal: 0.5 puts p99 at 3.2 × the median. */
export function logNormalLatency(medianMs: number, sigma: number): LatencyModel {
  return (_from, _to, random) => medianMs * Math.exp(sigma * random.normal());
}
