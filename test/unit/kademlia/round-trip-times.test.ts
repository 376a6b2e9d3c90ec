import { describe, expect, it } from 'vitest';
import { RoundTripTimes } from '../../../src/kademlia/round-trip-times.ts';
import { byteId } from './byte-ids.ts';

const PEER = byteId(1);
const OTHER = byteId(2);

function measured(samples: readonly number[], init = {}): RoundTripTimes {
  const times = new RoundTripTimes(init);
  for (const sample of samples) times.measured(PEER, sample);
  return times;
}

describe('RoundTripTimes', () => {
  it('gives strangers a bounded default, and more while they must be dialled', () => {
    const times = new RoundTripTimes();
    expect(times.rttMs(PEER)).toBeUndefined();
    expect(times.hedgeAfterMs(PEER, true)).toBe(1_000);
    expect(times.hedgeAfterMs(PEER, false)).toBe(2_000);
    expect(times.timeoutMs(PEER, true)).toBe(1_500);
    expect(times.timeoutMs(PEER, false)).toBe(3_000);
  });

  it('expects of a stranger what it knows of the others, within bounds', () => {
    const times = measured(Array(50).fill(2));
    expect(times.hedgeAfterMs(OTHER, true)).toBe(60);
    expect(times.hedgeAfterMs(OTHER, false)).toBe(60);
    for (let i = 0; i < 50; i++) times.measured(PEER, 100);
    // Four round trips from the dial to the answer; twice the usual way to one who is connected, but may be far.
    expect(times.hedgeAfterMs(OTHER, false)).toBeGreaterThan(400);
    expect(times.hedgeAfterMs(OTHER, false)).toBeLessThan(450);
    expect(times.hedgeAfterMs(OTHER, true)).toBeCloseTo(times.hedgeAfterMs(OTHER, false) / 2);
    for (let i = 0; i < 50; i++) times.measured(PEER, 900);
    expect(times.hedgeAfterMs(OTHER, true)).toBe(1_000);
    expect(times.hedgeAfterMs(OTHER, false)).toBe(2_500);
  });

  it('has somebody else asked for one stranger in twenty, where the ways are of very different length', () => {
    const times = new RoundTripTimes();
    for (let i = 0; i < 200; i++) times.measured(PEER, i % 2 === 0 ? 50 : 150);
    // Mean 100 and deviation 50: twice and four times 200 ms, where four deviations are 300.
    for (const [isConnected, roundTrips] of [
      [true, 2],
      [false, 4],
    ] as const) {
      const ratio = times.hedgeAfterMs(OTHER, isConnected) / (200 * roundTrips);
      expect(ratio).toBeGreaterThan(0.9);
      expect(ratio).toBeLessThan(1.1);
    }
  });

  it('gives everybody more time as soon as one answer shows that the way has become longer', () => {
    const times = measured(Array(50).fill(2));
    times.measured(OTHER, 2);
    expect(times.timeoutMs(OTHER, true)).toBe(1_000);
    times.measured(PEER, 950);
    expect(times.timeoutMs(OTHER, true)).toBeGreaterThan(1_050);
  });

  it('smooths the round trip as RFC 6298 does', () => {
    const times = measured([80]);
    expect(times.rttMs(PEER)).toBe(80);
    times.measured(PEER, 160);
    expect(times.rttMs(PEER)).toBe(90); // 7/8 · 80 + 1/8 · 160
    // deviation 3/4 · 40 + 1/4 · 80 = 50 ms, so mean + 4 deviations = 290 ms
    expect(times.hedgeAfterMs(PEER, true)).toBe(290);
  });

  it('comes to trust a steady peer, down to the least wait', () => {
    const times = measured(Array(50).fill(2));
    expect(times.rttMs(PEER)).toBeCloseTo(2, 1);
    expect(times.hedgeAfterMs(PEER, true)).toBe(30);
    expect(times.timeoutMs(PEER, true)).toBe(1_000);
  });

  it('follows a peer that becomes slow, up to the most it waits', () => {
    const times = measured([...Array(20).fill(2), ...Array(50).fill(4_000)]);
    expect(times.rttMs(PEER)).toBeGreaterThan(3_900);
    expect(times.hedgeAfterMs(PEER, true)).toBe(1_000);
    expect(times.timeoutMs(PEER, true)).toBeLessThanOrEqual(5_000);
  });

  it('doubles its patience after each silence, and no longer after an answer', () => {
    const times = measured([2]);
    for (const expected of [2_000, 4_000, 5_000, 5_000]) {
      times.silent(PEER, 0);
      expect(times.timeoutMs(PEER, true)).toBe(expected);
    }
    times.measured(PEER, 2);
    expect(times.timeoutMs(PEER, true)).toBe(1_000);
  });

  it('suspects who was silent, for longer each time, until it is heard of', () => {
    const times = new RoundTripTimes();
    times.silent(PEER, 1_000);
    expect(times.isSuspect(PEER, 2_999)).toBe(true);
    expect(times.isSuspect(PEER, 3_000)).toBe(false);
    expect(times.isSuspect(OTHER, 1_000)).toBe(false);
    times.silent(PEER, 3_000);
    expect(times.isSuspect(PEER, 6_999)).toBe(true);
    for (let i = 0; i < 20; i++) times.silent(PEER, 10_000);
    expect(times.isSuspect(PEER, 39_999)).toBe(true);
    expect(times.isSuspect(PEER, 40_000)).toBe(false);
    times.heardOf(PEER);
    expect(times.isSuspect(PEER, 10_000)).toBe(false);
  });

  it('forgets the peer that was measured the longest ago beyond its capacity', () => {
    const times = measured([5], { capacity: 2 });
    times.measured(OTHER, 5);
    times.measured(PEER, 5);
    times.measured(byteId(3), 5);
    expect(times.rttMs(PEER)).toBe(5);
    expect(times.rttMs(OTHER)).toBeUndefined();
  });
});
