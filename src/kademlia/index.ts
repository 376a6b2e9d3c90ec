/** Door of `kademlia`: who is where in the key space and how to find them. It knows no records beyond their shape on the wire. */
export { type DecodedFrame, decodeFrame } from './codec.ts';
export { type Contact, createContact } from './contact.ts';
export { commonPrefixLength, compareDistance, distance } from './distance.ts';
export { encodeHello } from './hello-codec.ts';
export { Kademlia, type KademliaEvents, type KademliaInit } from './kademlia.ts';
export { Lookup, type LookupInit } from './lookup.ts';
export type * from './messages.ts';
export { NodeId } from './node-id.ts';
export { recordBytes } from './record-fields.ts';
export type { RecordRequestHandler } from './record-request-handler.ts';
export { encodeRequest } from './request-codec.ts';
export { encodeResponse } from './response-codec.ts';
export { RoutingTable } from './routing-table.ts';
export type { LookupMembers, LookupOptions, LookupOutcome } from './searcher.ts';
export type { Peer, RequestOptions, Transport, TransportEvents } from './transport.ts';
export {
  DIGEST_BYTES,
  MAX_ADDRESS_LENGTH,
  MAX_ADDRESSES,
  MAX_FRAME_BYTES,
  MAX_HEADERS,
  MAX_RANGES,
  MAX_RECORDS,
  MAX_REQUEST_ID,
  MAX_SYNC_CELLS,
  PROTOCOL_VERSION,
  RECORDS_BUDGET_BYTES,
  type WireLimits,
} from './wire-format.ts';
