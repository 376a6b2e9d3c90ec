import type { Contact } from './contact.ts';
import { compareDistance } from './distance.ts';
import { isThere } from './is-there.ts';
import type { FindNodeRequest, FindNodeResponse } from './messages.ts';
import type { NodeId } from './node-id.ts';
import type { RoutingTable } from './routing-table.ts';
import { unlessBug } from './unless-bug.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

interface Introductions {
  readonly table: RoutingTable;
  readonly self: Contact;
  request(to: Contact, request: FindNodeRequest, options?: CallOptions): Promise<FindNodeResponse>;
  ping(contact: Contact, options?: CallOptions): Promise<number>;
}

/** From a random node to the neighbourhood of another: each brings the distance down by log2 K bits at least, so enough for K^4 nodes. */
const MAX_HOPS = 4;
/** Strangers pinged at a time. */
const MAX_PINGS = 8;

/**
 * Whoever was missing and has come back: did it return to the network it left, as after a restart, or does it bring one of its own, as after a
 * partition? It leads the way into the neighbourhood of this node as it knows it: there this node knows everybody, so anyone who is not in the
 * table, and answers, belongs to others. A few requests, where looking around in every bucket for each one that was away takes hundreds.
 */
export async function bringsStrangers(
  kademlia: Introductions,
  returned: Contact,
  options: CallOptions,
): Promise<boolean> {
  const { table, self } = kademlia;
  const isNear = (id: NodeId) => table.bucketIndex(id) >= table.neighbourhoodDepth();
  let guide = returned;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const named = await namedBy(kademlia, guide, options);
    const neighbours = named.filter(({ id }) => isNear(id));
    if (neighbours.length > 0) {
      const strangers = neighbours.filter(({ id }) => table.get(id) === undefined).slice(0, MAX_PINGS);
      const answers = await Promise.all(strangers.map((contact) => isThere(kademlia, contact, options)));
      return answers.includes(true);
    }
    const [nearest] = named.sort((a, b) => compareDistance(self.id, a.id, b.id));
    if (nearest === undefined || compareDistance(self.id, nearest.id, guide.id) >= 0) return false;
    guide = nearest;
  }
  return false;
}

/** Whom a contact knows near this node; nobody when it is silent. */
async function namedBy(kademlia: Introductions, contact: Contact, options: CallOptions): Promise<Contact[]> {
  try {
    const { closer } = await kademlia.request(contact, { type: 'FIND_NODE', target: kademlia.self.id.bytes }, options);
    return closer.filter(({ id }) => !id.equals(kademlia.self.id));
  } catch (error) {
    unlessBug(error);
    return [];
  }
}
