import { describe, expect, it } from 'vitest';
import {
  normalLatency,
  percentile,
  SeededRandom,
  WIDE_AREA_MEDIAN_ROUND_TRIP_MS,
  wideAreaLatency,
} from '../../../testnet/simulator/index.ts';
import { regionRoundTripMs, WIDE_AREA_REGIONS } from '../../../testnet/simulator/wide-area-latency.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('normalLatency', () => {
  it('has the mean and deviation it is given, and no frame arrives before it was sent', () => {
    const random = new SeededRandom('normal');
    const quiet = normalLatency(50, 5);
    const values = Array.from({ length: 4000 }, () => quiet(0, 1, random));
    expect(Math.abs(mean(values) - 50)).toBeLessThan(0.5);
    const deviation = Math.sqrt(mean(values.map((value) => (value - 50) ** 2)));
    expect(Math.abs(deviation - 5)).toBeLessThan(0.4);
    const wild = normalLatency(1, 50);
    expect(Math.min(...Array.from({ length: 100 }, () => wild(0, 1, random)))).toBe(0);
  });
});

describe('wideAreaLatency', () => {
  const still = { seed: 7, jitterMedianMs: 0 };
  const random = new SeededRandom('wide area');
  const pairs = Array.from({ length: 4000 }, (_, i) => [i, (i * 7919 + 1) % 4000] as const);

  it('knows a round trip for every pair of regions, the same from both ends', () => {
    for (let a = 0; a < WIDE_AREA_REGIONS.length; a++) {
      for (let b = 0; b < WIDE_AREA_REGIONS.length; b++) {
        expect(regionRoundTripMs(a, b)).toBeGreaterThan(0);
        expect(regionRoundTripMs(a, b)).toBe(regionRoundTripMs(b, a));
      }
    }
    const region = (name: (typeof WIDE_AREA_REGIONS)[number]) => WIDE_AREA_REGIONS.indexOf(name);
    expect(regionRoundTripMs(region('UK South'), region('North Europe'))).toBe(15);
    expect(regionRoundTripMs(region('Australia East'), region('South Africa North'))).toBe(348);
  });

  it('gives a pair its measured round trip, one way longer than the other, the same in every run', () => {
    const latency = wideAreaLatency(still);
    const again = wideAreaLatency(still);
    let longer = 0;
    for (const [a, b] of pairs) {
      if (a === b) continue;
      const [there, back] = [latency(a, b, random), latency(b, a, random)];
      const roundTrip = regionRoundTripMs(latency.regionOf(a), latency.regionOf(b));
      expect(there + back).toBeCloseTo(roundTrip, 9);
      expect(Math.abs(there - back)).toBeLessThanOrEqual(0.3 * (roundTrip / 2) + 1e-9);
      expect(again(a, b, random)).toBe(there);
      if (there > 1.05 * back) longer++;
    }
    expect(longer / pairs.length).toBeGreaterThan(0.3); // ± 15 % uniform: 5 % apart or more in that order for 42 %
  });

  it('spreads nodes over the regions, so that the median round trip is the one it exports', () => {
    const latency = wideAreaLatency(still);
    const perRegion = WIDE_AREA_REGIONS.map(() => 0);
    for (let node = 0; node < 16_000; node++) perRegion[latency.regionOf(node)]!++;
    expect(Math.min(...perRegion)).toBeGreaterThan(850);
    expect(Math.max(...perRegion)).toBeLessThan(1150);
    const roundTrips = pairs.map(([a, b]) => latency(a, b, random) + latency(b, a, random));
    expect(WIDE_AREA_MEDIAN_ROUND_TRIP_MS).toBe(155.5);
    expect(Math.abs(percentile(roundTrips, 0.5) - WIDE_AREA_MEDIAN_ROUND_TRIP_MS)).toBeLessThan(8);
  });

  it('puts nodes elsewhere for another seed', () => {
    const [a, b] = [wideAreaLatency({ seed: 1 }), wideAreaLatency({ seed: 2 })];
    const moved = Array.from({ length: 1600 }, (_, node) => a.regionOf(node) !== b.regionOf(node)).filter(Boolean);
    expect(moved.length).toBeGreaterThan(1400);
  });

  it('adds log-normal jitter to what the pair has', () => {
    const base = wideAreaLatency(still)(3, 900, random);
    const latency = wideAreaLatency({ seed: 7 });
    const jitter = Array.from({ length: 4000 }, () => latency(3, 900, random) - base);
    expect(Math.min(...jitter)).toBeGreaterThan(0);
    expect(Math.abs(percentile(jitter, 0.5) - 1)).toBeLessThan(0.1);
    expect(percentile(jitter, 0.99)).toBeGreaterThan(7);
    expect(percentile(jitter, 0.99)).toBeLessThan(14);
  });
});
