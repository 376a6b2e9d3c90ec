/**
 * What the bytes of a run were spent on: what its callers asked for (gets, puts, measuring) and what the network keeps itself alive and whole with.
 * Every HELLO counts as maintenance, whatever the connection was opened for.
 */
import type { PurposeTraffic } from '../scenarios/index.ts';

/** `table`: refreshing, watching the neighbourhood, pings, joining, connections. `compare`: digests. `move`: records from holder to holder. */
export type TrafficShare = 'gets' | 'puts' | 'measuring' | 'table' | 'compare' | 'move';

const SHARES: Readonly<Record<string, TrafficShare>> = {
  FIND_VALUE: 'gets',
  'FIND_NODE to write': 'puts',
  STORE: 'puts',
  'FIND_NODE to measure': 'measuring',
  HELLO: 'table',
  FIND_NODE: 'table',
  PING: 'table',
  LEAVE: 'table',
  SYNC: 'compare',
  FETCH: 'move',
  HAND_OFF: 'move',
};

export interface ShareTotals {
  readonly frames: number;
  readonly bytes: number;
}

export function trafficShares(traffic: readonly PurposeTraffic[]): Readonly<Record<TrafficShare, ShareTotals>> {
  const totals = () => ({ frames: 0, bytes: 0 });
  const shares = {
    gets: totals(),
    puts: totals(),
    measuring: totals(),
    table: totals(),
    compare: totals(),
    move: totals(),
  };
  for (const { purpose, frames, bytes } of traffic) {
    // What nobody has thought of is upkeep: that has a limit.
    const share = shares[SHARES[purpose.replace(/ answer$/, '')] ?? 'table'];
    share.frames += frames;
    share.bytes += bytes;
  }
  return shares;
}

/** All that the network does unasked. */
export function maintenanceOf({ table, compare, move }: Readonly<Record<TrafficShare, ShareTotals>>): ShareTotals {
  return { frames: table.frames + compare.frames + move.frames, bytes: table.bytes + compare.bytes + move.bytes };
}
