/**
 * How many servers there are besides this one, from what the table holds. Ids are uniform, so the distance of the k-th nearest tells how dense
 * they are (Manku et al. 2003): if k lie within the nearest f of the id space, about (k − 1) / f lie in all of it. Only the neighbourhood
 * counts, which a node knows completely from the lookup of its own id; how far the rest of the table is filled does not matter.
 */
import { distance } from './distance.ts';
import type { NodeId } from './node-id.ts';

/** The first bytes of a distance: as many as a number holds exactly. */
const FRACTION_BYTES = 6;

export interface NearestOthers {
  readonly self: NodeId;
  /** The k nearest others, nearest first; fewer if there are fewer. */
  readonly nearest: readonly { readonly id: NodeId }[];
  readonly k: number;
  /** Contacts known in all: there are never fewer. */
  readonly known: number;
}

/** Exact while fewer than k others are known. */
export function estimateOthers({ self, nearest, k, known }: NearestOthers): number {
  const farthest = nearest[k - 1];
  if (farthest === undefined) return known;
  const leading = distance(self, farthest.id).subarray(0, FRACTION_BYTES);
  const fraction = leading.reduce((sum, byte, i) => sum + byte / 256 ** (i + 1), 1 / 256 ** FRACTION_BYTES);
  return Math.max(known, Math.round((k - 1) / fraction));
}
