import { describe, expect, it } from 'vitest';
import { assertFits, expectedHeapBytes } from '../../../testnet/simulator/assert-fits.ts';

describe('the memory of a world', () => {
  it('grows faster than the number of its nodes, and less without records', () => {
    const bytesOf = (nodes: number, isRecordless: boolean) => expectedHeapBytes({ nodes, isRecordless }) / nodes;
    expect(bytesOf(10_000, false)).toBeCloseTo(157_600, -3);
    expect(bytesOf(10_000, true)).toBeCloseTo(107_200, -3);
    expect(bytesOf(100_000, true)).toBeGreaterThan(bytesOf(10_000, true));
    expect(expectedHeapBytes({ nodes: 1, isRecordless: true })).toBeGreaterThan(0);
  });

  it('is refused in one line that says how to get it, unless there is enough', () => {
    const size = { nodes: 100_000, isRecordless: false };
    expect(() => assertFits(size, 4.3e9)).toThrow(
      /^100000 nodes take some 19\.1 GB of heap and this process may use 4\.3: set NODE_OPTIONS=--max-old-space-size=20037, or simulate fewer$/,
    );
    expect(() => assertFits(size, 20e9)).not.toThrow();
    expect(() => assertFits({ ...size, nodes: 1_000 })).not.toThrow();
  });
});
