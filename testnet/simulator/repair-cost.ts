import type { YardstickFigures } from './repair-yardstick.ts';
import type { SimulationReport } from './simulate.ts';
import { maintenanceOf, trafficShares } from './traffic-shares.ts';

export interface RepairCost extends YardstickFigures {
  /** Everything nobody asked for. */
  readonly maintenanceBytesPerNodeAndSecond: number;
  /** HAND_OFF and FETCH with their answers. */
  readonly movedBytes: number;
  /** SYNC with its answers. */
  readonly comparedBytes: number;
  /** SYNC requests. */
  readonly comparisons: number;
  /** How many times less moving records cost than each holder storing all it holds anew, and with what comparing costs. */
  readonly belowEveryHolder: number;
  readonly belowEveryHolderComparingToo: number;
  /** The same against the paper's way. */
  readonly belowOneHolder: number;
  readonly belowOneHolderComparingToo: number;
  /** Moved bytes over those that had to be. */
  readonly timesNecessary: number;
  /** Of the lookup before a put, on average of this run: every re-store needs one, and none is counted above. */
  readonly lookupBytes: number;
}

/** What keeping the records whole cost in this run, beside the yardstick of the same run. Ratios are NaN where nothing was moved. */
export function repairCost({ traffic, yardstick, figures, nodeSeconds }: SimulationReport): RepairCost {
  const shares = trafficShares(traffic);
  const { move, compare } = shares;
  const { byEveryHolder, byOneHolder, necessary } = yardstick;
  const sent = (purpose: string) => traffic.find((totals) => totals.purpose === purpose);
  const lookups = (sent('FIND_NODE to write')?.bytes ?? 0) + (sent('FIND_NODE to write answer')?.bytes ?? 0);
  const both = move.bytes + compare.bytes;
  return {
    ...yardstick,
    maintenanceBytesPerNodeAndSecond: maintenanceOf(shares).bytes / nodeSeconds,
    movedBytes: move.bytes,
    comparedBytes: compare.bytes,
    comparisons: sent('SYNC')?.frames ?? 0,
    belowEveryHolder: byEveryHolder.bytes / move.bytes,
    belowEveryHolderComparingToo: byEveryHolder.bytes / both,
    belowOneHolder: byOneHolder.bytes / move.bytes,
    belowOneHolderComparingToo: byOneHolder.bytes / both,
    timesNecessary: move.bytes / necessary.bytes,
    lookupBytes: lookups / (figures.puts.acknowledged + figures.puts.failed),
  };
}
