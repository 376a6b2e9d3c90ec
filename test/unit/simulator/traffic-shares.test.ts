import { describe, expect, it } from 'vitest';
import { Traffic } from '../../../testnet/simulator/traffic.ts';
import { maintenanceOf, trafficShares } from '../../../testnet/simulator/traffic-shares.ts';

describe('trafficShares', () => {
  it('puts a request and its answer under what they are for, and nothing of what callers ask for under maintenance', () => {
    const traffic = [
      ['FIND_VALUE', 1],
      ['FIND_VALUE answer', 2],
      ['FIND_NODE to write', 4],
      ['STORE answer', 8],
      ['FIND_NODE to measure answer', 16],
      ['HELLO', 32],
      ['FIND_NODE', 64],
      ['FIND_NODE answer', 128],
      ['SYNC', 256],
      ['HAND_OFF', 512],
      ['FETCH answer', 1024],
    ].map(([purpose, bytes]) => ({ purpose: String(purpose), frames: 1, bytes: Number(bytes) }));
    const shares = trafficShares(traffic);
    const bytes = Object.fromEntries(Object.entries(shares).map(([share, totals]) => [share, totals.bytes]));
    expect(bytes).toEqual({ gets: 3, puts: 12, measuring: 16, table: 224, compare: 256, move: 1536 });
    expect(maintenanceOf(shares)).toEqual({ frames: 6, bytes: 2016 });
  });

  it('counts what it does not know as maintenance', () => {
    expect(maintenanceOf(trafficShares([{ purpose: 'WATCH', frames: 2, bytes: 9 }]))).toEqual({ frames: 2, bytes: 9 });
  });
});

describe('Traffic', () => {
  it('tells lookups of a target somebody named from those of the table', () => {
    const traffic = new Traffic();
    const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(traffic.purposeOf({ type: 'FIND_NODE', target: key })).toBe('FIND_NODE');
    traffic.aim(key, 'FIND_NODE to write');
    expect(traffic.purposeOf({ type: 'FIND_NODE', target: key.slice() })).toBe('FIND_NODE to write');
    expect(traffic.purposeOf({ type: 'FIND_NODE', target: other })).toBe('FIND_NODE');
    expect(traffic.purposeOf({ type: 'FIND_VALUE', keyId: key, value: 'newest' })).toBe('FIND_VALUE');
  });
});
