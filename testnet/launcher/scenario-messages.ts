/** What the launcher and a node that runs a scenario tell each other over the channel between parent and child. Not here: records, which go through the node's door. */
import type { ErrorObject } from '../../src/commands/index.ts';
import type { PurposeTraffic } from '../scenarios/index.ts';
import type { LookupPurpose } from '../simulator/index.ts';
import type { NodeConditions } from './node-conditions.ts';

/** What lookups of a target are for, whoever does them: it is how their bytes are accounted for. */
export interface LookupAim {
  /** 32 bytes in hex. */
  readonly target: string;
  readonly purpose: LookupPurpose;
}

/** What a node is told to be: the first message it gets. */
export interface NodeOrder {
  readonly type: 'start';
  readonly number: number;
  readonly dataDir: string;
  readonly network: string;
  /** Multiaddr without the peer id. */
  readonly listen: string;
  /** Addresses with the peer id; empty: it is the network, and others come to it. */
  readonly bootstrap: readonly string[];
  /** Of the scenario. */
  readonly seed: string;
  /** How often this node was started before: each life has a chance of its own. */
  readonly life: number;
  readonly conditions: NodeConditions;
  readonly skewMs: number;
  readonly aims: readonly LookupAim[];
}

export type LauncherMessage =
  | NodeOrder
  | { readonly type: 'conditions'; readonly conditions: NodeConditions }
  | { readonly type: 'skew'; readonly skewMs: number }
  | { readonly type: 'aim'; readonly aim: LookupAim };

export type NodeMessage =
  /** Its doors are open. */
  | { readonly type: 'ready'; readonly addresses: readonly string[] }
  /** It knows the network, or is the network. */
  | { readonly type: 'joined' }
  /** What it has sent in this life, about once a second. */
  | { readonly type: 'traffic'; readonly traffic: readonly PurposeTraffic[] }
  /** It could not start. */
  | { readonly type: 'failed'; readonly error: ErrorObject };
