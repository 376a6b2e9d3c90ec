import { describe, expect, it } from 'vitest';
import { assertFits, expectedHeapBytes } from '../../../testnet/simulator/assert-fits.ts';

describe('the memory of a world', () => {
  it('grows faster than the number of its nodes, and less without records', () => {
    const bytesOf = (nodes: number, isRecordless: boolean) => expectedHeapBytes({ nodes, isRecordless }) / nodes;
    expect(bytesOf(10_000, false)).toBeCloseTo(157_600, -3);
    expect(bytesOf(10_000, true)).toBeCloseTo(107_200, -3);
    expect(bytesOf(100_000, true)).toBeGreaterThan(bytesOf(10_000, true));
    expect(expectedHeapBytes({ nodes: 1, isRecordless: true, maxConnections: 1 })).toBeGreaterThan(0);
  });

  it('is less for nodes that may have fewer connections than they would open', () => {
    const bytesOf = (maxConnections: number) =>
      expectedHeapBytes({ nodes: 8_000, isRecordless: true, maxConnections }) / 8_000;
    expect(bytesOf(300)).toBeCloseTo(105_000, -3);
    expect(bytesOf(100)).toBeCloseTo(90_000, -3);
  });

  it('is refused in one line that says how to get it, unless there is enough', () => {
    const size = { nodes: 100_000, isRecordless: false };
    expect(() => assertFits(size, 4.3e9)).toThrow(
      /^100000 nodes keep some 19\.1 GB alive, want 25\.8 GB of heap, and this process may use 4\.3: set NODE_OPTIONS=--max-old-space-size=24591, lower --max-connections, or simulate fewer$/,
    );
    expect(() => assertFits(size, 26e9)).not.toThrow();
    expect(() => assertFits({ ...size, nodes: 1_000 })).not.toThrow();
  });
});
