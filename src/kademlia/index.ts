/** Door of `kademlia`: who is where in the key space and how to find them. It knows no records beyond their shape on the wire. */
export { type Contact, createContact } from './contact.ts';
export { commonPrefixLength, compareDistance, distance } from './distance.ts';
export type * from './messages.ts';
export { NodeId } from './node-id.ts';
export type { Peer, RequestOptions, Transport, TransportEvents } from './transport.ts';
