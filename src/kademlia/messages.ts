/** The vocabulary of the wire, decoded. Bytes are codec.ts's business, streams are `network`'s. */
import type { HeldRecord, NetworkConstants, RecordHeader, RefusalReason } from '../records/index.ts';
import type { Contact } from './contact.ts';

/** Server: stores and is in tables. Client: asks only. Bootstrap: introduces, stores nothing. */
export type NodeMode = 'server' | 'client' | 'bootstrap';

/** First frame in both directions. Without it nobody knows a dialler's addresses or mode. */
export interface Hello {
  readonly protocolVersion: number;
  readonly constants: NetworkConstants;
  readonly mode: NodeMode;
  /** Where the sender can be dialled, multiaddrs as text without `/p2p/…`. */
  readonly addresses: readonly string[];
  /** Names of optional request types this build answers. */
  readonly features: readonly string[];
  /** The sender's wall clock, ms since the epoch. */
  readonly time: number;
}

export interface PingRequest {
  readonly type: 'PING';
}

export interface FindNodeRequest {
  readonly type: 'FIND_NODE';
  /** 32 bytes. */
  readonly target: Uint8Array;
}

export interface FindValueRequest {
  readonly type: 'FIND_VALUE';
  readonly keyId: Uint8Array;
  /** Whose value to send along: the newest live record's, one publisher's (raw public key), or none (headers always come). */
  readonly value: 'none' | 'newest' | { readonly publisher: Uint8Array };
}

export interface StoreRequest {
  readonly type: 'STORE';
  /** Without a value: a renewal, the holder has the value already. */
  readonly record: HeldRecord;
}

export type Request = PingRequest | FindNodeRequest | FindValueRequest | StoreRequest;
export type RequestType = Request['type'];

export interface PingResponse {
  readonly type: 'PING';
  /** Wall clock of the answering node, ms since the epoch. */
  readonly time: number;
}

export interface FindNodeResponse {
  readonly type: 'FIND_NODE';
  /** At most K, nearest first. */
  readonly closer: readonly Contact[];
}

export interface FindValueResponse {
  readonly type: 'FIND_VALUE';
  readonly closer: readonly Contact[];
  /** Of every publisher: live records, tombstones and floors. Empty: absent, which counts towards R only from a settled holder. */
  readonly headers: readonly RecordHeader[];
  /** The value asked for, if held: it belongs to `headers[valueIndex]`. */
  readonly value: { readonly valueIndex: number; readonly bytes: Uint8Array } | undefined;
  readonly settled: boolean;
  /** False from nodes that keep no records (clients, bootstrap): they never count towards R. */
  readonly holder: boolean;
}

export interface StoreResponse {
  readonly type: 'STORE';
  readonly outcome:
    | { readonly kind: 'stored'; readonly until: number }
    | { readonly kind: 'refused'; readonly reason: RefusalReason };
  /** Newest seq of the key at this holder, over all publishers; 0 if none. */
  readonly newestSeq: number;
  readonly time: number;
}

/** The peer could not or would not answer. */
export interface ErrorResponse {
  readonly type: 'ERROR';
  readonly code: 'UNSUPPORTED' | 'RESOURCE_EXHAUSTED' | 'MALFORMED' | 'INTERNAL';
}

export type Response = PingResponse | FindNodeResponse | FindValueResponse | StoreResponse | ErrorResponse;

/** The answer that belongs to a request type. */
export type ResponseTo<R extends Request> = Extract<Response, { readonly type: R['type'] }>;
