/** What is wrong between the nodes of a testnet: plain data, as the launcher tells it to every node. Not here: what a node does about it. */
import type { ScenarioLatency } from '../scenarios/index.ts';

export interface NodeConditions {
  /** Whom the conditions are about: peer ids by node number. Between strangers nothing is wrong. */
  readonly peerIds: readonly string[];
  /** How long frames are under way, on top of what the machine takes; undefined: no longer. */
  readonly latency: ScenarioLatency | undefined;
  /** Share of frames that vanish, 0 … 1. */
  readonly lossShare: number;
  /** Only nodes of one group hear each other; nodes in no group form one more. Undefined: everybody does. */
  readonly groups: readonly (readonly number[])[] | undefined;
  /** What these send never reaches those. */
  readonly oneWay: readonly { readonly from: readonly number[]; readonly to: readonly number[] }[];
}

export const FAIR_CONDITIONS: NodeConditions = {
  peerIds: [],
  latency: undefined,
  lossShare: 0,
  groups: undefined,
  oneWay: [],
};
