/** The 8-bit key space of STYLE: `contact(0b0000_0110)` is at 6, and a test about distances reads in binary. */
import { type Contact, NodeId, type RoutingTable } from '../../../src/kademlia/index.ts';

export function byteId(value: number): NodeId {
  return NodeId.fromBytes(Uint8Array.of(value));
}

export function contact(value: number, addresses: readonly string[] = []): Contact {
  return { id: byteId(value), publicKey: Uint8Array.of(value), addresses };
}

export function byteOf({ id }: Contact): number {
  return id.bytes[0]!;
}

/** All of `values`, nearest to `target` first: the oracle. */
export function nearestFirst(values: readonly number[], target: number): number[] {
  return [...values].sort((a, b) => (a ^ target) - (b ^ target));
}

/** What the table claims to know completely, ascending. */
export function neighbourhoodOf(table: RoutingTable): { readonly depth: number; readonly values: readonly number[] } {
  const { depth, contacts } = table.neighbourhood();
  return { depth, values: contacts.map(byteOf).sort((a, b) => a - b) };
}
