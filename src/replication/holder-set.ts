/** Who must hold a key: the K closest live servers, this node among them when it is one. */
import { type Contact, compareDistance, type NodeId } from '../kademlia/index.ts';

export interface HolderSet {
  /** Who answered, and those who were not waited for and are not overdue either; nearest first, at most K. */
  readonly members: readonly Contact[];
  /** Who did not, but did not long enough ago to count no more: where fewer than K answered they still are part of K'. */
  readonly silent: readonly Contact[];
  /** K': a key can have so many holders. */
  readonly kEffective: number;
  readonly self: NodeId;
  readonly target: NodeId;
}

export interface HolderSetInit {
  readonly target: NodeId;
  readonly k: number;
  /** Live servers a lookup found, without this node. */
  readonly found: readonly Contact[];
  /** Those it did not wait for, because others had told enough. @default none */
  readonly pending?: readonly Contact[] | undefined;
  /** Servers it found silent, of late. */
  readonly silent: readonly Contact[];
  readonly self: Contact;
  /** Only servers hold records. */
  readonly selfHolds: boolean;
}

export function createHolderSet({ target, k, found, pending = [], silent, self, selfHolds }: HolderSetInit): HolderSet {
  const candidates = [...found, ...pending];
  if (selfHolds) candidates.push(self);
  candidates.sort((a, b) => compareDistance(target, a.id, b.id));
  const members = candidates.slice(0, k);
  const missing = [...silent].sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, k - members.length);
  return { members, silent: missing, kEffective: members.length + missing.length, self: self.id, target };
}
