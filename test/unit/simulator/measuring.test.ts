import { describe, expect, it } from 'vitest';
import { formatTable } from '../../../testnet/simulator/format-table.ts';
import {
  constantLatency,
  type LatencyModel,
  logNormalLatency,
  percentile,
  SeededRandom,
  uniformLatency,
} from '../../../testnet/simulator/index.ts';
import { Trace } from '../../../testnet/simulator/trace.ts';
import { Traffic } from '../../../testnet/simulator/traffic.ts';

describe('percentile', () => {
  it('is a value that occurred, by nearest rank, and nothing of nothing', () => {
    const values = [50, 15, 40, 20, 35];
    expect([0, 0.05, 0.3, 0.4, 0.5, 1].map((share) => percentile(values, share))).toEqual([15, 15, 20, 20, 35, 50]);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('latency', () => {
  const draw = (model: LatencyModel) => {
    const random = new SeededRandom('latency');
    return Array.from({ length: 4000 }, () => model(0, 1, random));
  };

  it('has the median and the tail it says', () => {
    const logNormal = draw(logNormalLatency(20, 0.5));
    expect(Math.abs(percentile(logNormal, 0.5) - 20)).toBeLessThan(1);
    expect(percentile(logNormal, 0.99) / percentile(logNormal, 0.5)).toBeGreaterThan(2.8);
    expect(percentile(logNormal, 0.99) / percentile(logNormal, 0.5)).toBeLessThan(3.7);
    const uniform = draw(uniformLatency(5, 15));
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...uniform)).toBeLessThan(15);
    expect(Math.abs(percentile(uniform, 0.5) - 10)).toBeLessThan(0.5);
    expect(new Set(draw(constantLatency(3)))).toEqual(new Set([3]));
  });
});

describe('Trace', () => {
  const frames = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(9)];
  const hash = (time: number, from: number, to: number, order: readonly Uint8Array[]) => {
    const trace = new Trace();
    for (const frame of order) trace.add(time, from, to, frame);
    return trace.hash;
  };

  it('differs when a time, an end, a byte or the order does, and only then', () => {
    const same = hash(1.5, 1, 2, frames);
    expect(hash(1.5, 1, 2, frames)).toBe(same);
    const others = [
      hash(1.5000001, 1, 2, frames),
      hash(1.5, 2, 1, frames),
      hash(1.5, 1, 2, [...frames].reverse()),
      hash(1.5, 1, 2, [Uint8Array.of(1, 2, 3, 4, 6), Uint8Array.of(9)]),
      hash(1.5, 1, 2, [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 9)]),
    ];
    expect(new Set([same, ...others]).size).toBe(6);
  });
});

describe('Traffic', () => {
  it('adds up by purpose, and counts requests without answers and HELLO', () => {
    const traffic = new Traffic();
    traffic.count('HELLO', 100);
    traffic.count('FIND_NODE', 40);
    traffic.count('FIND_NODE', 41);
    traffic.count('FIND_NODE answer', 900);
    traffic.count('STORE', 300);
    expect(traffic.requests).toBe(3);
    expect(traffic.sent('FIND_NODE')).toEqual({ frames: 2, bytes: 81 });
    expect(traffic.sent('PING')).toEqual({ frames: 0, bytes: 0 });
    expect(traffic.table().map(({ purpose }) => purpose)).toEqual(['HELLO', 'FIND_NODE', 'FIND_NODE answer', 'STORE']);
  });
});

describe('formatTable', () => {
  it('puts the first column to the left and the others to the right', () => {
    expect(
      formatTable([
        ['name', 'n'],
        ['a', 10],
        ['longer', 5],
      ]),
    ).toBe('name     n\na       10\nlonger   5');
  });
});
