/** Who answers the two requests that are about records. `kademlia` routes them there and knows no more; `replication` implements it. */
import type { FindValueRequest, FindValueResponse, StoreRequest, StoreResponse } from './messages.ts';
import type { Peer } from './transport.ts';

export interface RecordRequestHandler {
  findValue(from: Peer, request: FindValueRequest): Promise<FindValueResponse>;
  store(from: Peer, request: StoreRequest): Promise<StoreResponse>;
}
