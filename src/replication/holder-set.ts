/** Who must hold a key: the K closest live servers, this node among them when it is one. */
import { type Contact, compareDistance, type NodeId } from '../kademlia/index.ts';

export interface HolderSet {
  /** Nearest first; its length is K'. */
  readonly members: readonly Contact[];
  readonly self: NodeId;
}

export interface HolderSetInit {
  readonly target: NodeId;
  readonly k: number;
  /** Live servers a finished lookup found, without this node. */
  readonly found: readonly Contact[];
  readonly self: Contact;
  /** Only servers hold records. */
  readonly selfHolds: boolean;
}

export function createHolderSet({ target, k, found, self, selfHolds }: HolderSetInit): HolderSet {
  const candidates = selfHolds ? [...found, self] : [...found];
  candidates.sort((a, b) => compareDistance(target, a.id, b.id));
  return { members: candidates.slice(0, k), self: self.id };
}
