/** Who answers the requests that are about records. `kademlia` routes them there and knows no more; `replication` implements it. */
import type {
  FetchRequest,
  FetchResponse,
  FindValueRequest,
  FindValueResponse,
  HandOffRequest,
  HandOffResponse,
  StoreRequest,
  StoreResponse,
  SyncRequest,
  SyncResponse,
} from './messages.ts';
import type { Peer } from './transport.ts';

export interface RecordRequestHandler {
  findValue(from: Peer, request: FindValueRequest): Promise<FindValueResponse>;
  store(from: Peer, request: StoreRequest): Promise<StoreResponse>;
  sync(from: Peer, request: SyncRequest): Promise<SyncResponse>;
  fetch(from: Peer, request: FetchRequest): Promise<FetchResponse>;
  handOff(from: Peer, request: HandOffRequest): Promise<HandOffResponse>;
}
