/**
 * How much of the id space around itself a node may claim to know completely: its neighbourhood, all ids that share so many leading bits with
 * its own. Records live on the K nodes nearest to their key, so every member of such a set must know all the others (the sibling lists of
 * S/Kademlia §4.3 are the precedent). For a key of bucket j everybody in bucket j is nearer than this node: where there are K of them, it
 * has no say and need not know the rest.
 */

export interface BucketCounts {
  /** Contacts not in doubt. */
  readonly trusted: number;
  /** Contacts with a place. */
  readonly places: number;
  /** There may be others whom nobody has looked for. */
  readonly mayHideOthers: boolean;
}

/** A bucket with fewer than K contacts that should have more than so many times K nodes is not small, it is merely not filled here. */
const UNFILLED_FACTOR = 2.5;

/** Contacts a node wants in a bucket far away: enough to route through. Every contact costs a connection. */
export const FAR_CONTACTS = 4;

/** Whether a bucket lies so far away that K of it are known without knowing them all. */
export function hasMany(index: number, k: number, others: number): boolean {
  return others / 2 ** (index + 1) >= UNFILLED_FACTOR * k;
}

export interface NeighbourhoodDepth {
  /** Leading bits shared by the neighbourhood; 0: it is everybody. */
  readonly depth: number;
  /** Index of the farthest bucket that had a say in it: at most the depth. */
  readonly decidedBy: number;
}

/**
 * @param buckets by index, from the farthest; missing ones are empty
 * @param others nodes besides this one, estimated
 */
export function neighbourhoodDepth(buckets: readonly BucketCounts[], k: number, others: number): NeighbourhoodDepth {
  let within = 1; // this node
  let depth = buckets.length;
  while (depth > 0 && within < k) {
    depth--;
    within += buckets[depth]!.trusted;
  }
  // Farther buckets in which there are fewer than K at all: of keys there this node may be a holder, too. A full one between them changes nothing.
  for (let j = depth - 1; j >= 0; j--) {
    const { places, mayHideOthers } = buckets[j]!;
    // Maintenance keeps FAR_CONTACTS in every bucket that has them: where there are fewer, there are no more, whatever the estimate says.
    if (hasMany(j, k, others) && places >= FAR_CONTACTS) return { depth, decidedBy: j };
    if (places < k && !mayHideOthers) depth = j;
  }
  return { depth, decidedBy: 0 };
}
