/**
 * Delays between machines spread over the world, from measured round trips: monthly 95th percentiles between 16 cloud regions, 30 days to
 * 2026-07-30, as Microsoft publishes them ("Azure network round-trip latency statistics"); both directions averaged, whole ms. A backbone's
 * p95 lies a few ms above its median, which stands in for the paths of machines outside a data centre. Not here: loss, access links.
 */
import type { LatencyModel } from './latency.ts';
import { SeededRandom } from './seeded-random.ts';

export const WIDE_AREA_REGIONS = [
  'East US',
  'Central US',
  'West US 2',
  'Canada Central',
  'Mexico Central',
  'Brazil South',
  'North Europe',
  'UK South',
  'Germany West Central',
  'Poland Central',
  'UAE North',
  'South Africa North',
  'Central India',
  'Southeast Asia',
  'Japan East',
  'Australia East',
] as const;

/** Row by row: each region's round trips to those before it, ms. */
const ROUND_TRIPS: readonly (readonly number[])[] = [
  [],
  [35],
  [75, 41],
  [22, 35, 68],
  [64, 48, 75, 74],
  [120, 154, 179, 132, 158],
  [75, 107, 136, 79, 126, 176],
  [80, 117, 144, 83, 140, 184, 15],
  [97, 125, 159, 100, 148, 200, 28, 19],
  [108, 134, 171, 114, 156, 212, 38, 34, 26],
  [190, 212, 255, 187, 231, 293, 131, 122, 122, 139],
  [226, 252, 285, 236, 270, 326, 178, 169, 173, 198, 104],
  [216, 246, 218, 216, 268, 320, 160, 150, 150, 169, 35, 134],
  [229, 201, 165, 226, 220, 337, 236, 183, 179, 202, 90, 200, 58],
  [165, 140, 103, 165, 147, 270, 232, 237, 248, 259, 155, 254, 129, 74],
  [206, 178, 180, 207, 197, 298, 272, 277, 290, 300, 179, 348, 152, 98, 105],
];

/** Within a region, between its data centres: 0.8 to 2.9 ms (IBM Cloud VPC, averages of February 2024). */
const WITHIN_REGION_MS = 2;

/** Round trip between two regions by their index in `WIDE_AREA_REGIONS`, ms. */
export function regionRoundTripMs(a: number, b: number): number {
  return a === b ? WITHIN_REGION_MS : ROUND_TRIPS[Math.max(a, b)]![Math.min(a, b)]!;
}

/** What two machines measure between them in the median, each in any region: 155.5 ms. Jitter is not in it. */
export const WIDE_AREA_MEDIAN_ROUND_TRIP_MS = medianRoundTrip();

export interface WideAreaOptions {
  /** Where each node is, and which of a pair's two ways is the longer one, follow from it. */
  readonly seed: number | string;
  /** How much longer or shorter than half the round trip one way may be; the other way makes up for it. 0 … 1. @default 0.15 */
  readonly asymmetry?: number | undefined;
  /** What queues on the way add to each frame: log-normal, this median. @default 1 */
  readonly jitterMedianMs?: number | undefined;
  /** Of the underlying normal; 1 puts p99 at ten times the median. @default 1 */
  readonly jitterSigma?: number | undefined;
}

export interface WideAreaLatency extends LatencyModel {
  /** Index into `WIDE_AREA_REGIONS`. */
  regionOf(node: number): number;
}

export function wideAreaLatency(options: WideAreaOptions): WideAreaLatency {
  const { asymmetry = 0.15, jitterMedianMs = 1, jitterSigma = 1 } = options;
  const salt = new SeededRandom(`${options.seed}/wide area`).integer(2 ** 32);
  const regionOf = (node: number) => Math.floor(uniform(salt, node, node) * WIDE_AREA_REGIONS.length);
  const latency: LatencyModel = (from, to, random) => {
    const halfRoundTrip = regionRoundTripMs(regionOf(from), regionOf(to)) / 2;
    const lean = asymmetry * (2 * uniform(salt, Math.min(from, to), Math.max(from, to)) - 1);
    const jitter = jitterMedianMs * Math.exp(jitterSigma * random.normal());
    return halfRoundTrip * (1 + (from < to ? lean : -lean)) + jitter;
  };
  return Object.assign(latency, { regionOf });
}

/** [0, 1) from three integers (the finalizer of MurmurHash3): what is fixed for a pair is computed anew, as no table holds 10,000² of them. */
function uniform(salt: number, a: number, b: number): number {
  let h = Math.imul(salt ^ Math.imul(a + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

function medianRoundTrip(): number {
  const all = WIDE_AREA_REGIONS.flatMap((_a, a) => WIDE_AREA_REGIONS.map((_b, b) => regionRoundTripMs(a, b)));
  all.sort((x, y) => x - y);
  return (all[all.length / 2 - 1]! + all[all.length / 2]!) / 2;
}
