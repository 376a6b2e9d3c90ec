/** The vocabulary of the wire, decoded. Bytes are codec.ts's business, streams are `network`'s. */
import type { CellRange, HeldRecord, NetworkConstants, RecordHeader, RefusalReason } from '../records/index.ts';
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

/** Do we hold the same? Asked of a node that should hold the same ranges. */
export interface SyncRequest {
  readonly type: 'SYNC';
  /** 1 to MAX_RANGES, ascending, none within another. */
  readonly ranges: readonly CellRange[];
  /** What the asker holds there: one digest (16 bytes) of all ranges together, or one of each, joined in their order. */
  readonly digests: Uint8Array;
  /** The asker is settled in all of them. */
  readonly settled: boolean;
}

/** Records of cell ranges, in the order of their ids. */
export interface FetchRequest {
  readonly type: 'FETCH';
  /** 1 to MAX_RANGES, ascending, none within another. */
  readonly ranges: readonly CellRange[];
  /** False: headers are enough, as for renewals. */
  readonly withValues: boolean;
  /** Go on behind this cell: 64 bytes. */
  readonly after: Uint8Array | undefined;
}

/** Records the receiver should hold, from one who did or does. */
export interface HandOffRequest {
  readonly type: 'HAND_OFF';
  /**
   * 1 to MAX_RECORDS; the frame bounds their bytes. Headers of what expired or was deleted come as floors. Received: in the place of one that
   * this build cannot take, why. Never sent so.
   */
  readonly records: readonly (HeldRecord | RefusalReason)[];
}

/** The sender is going: it is no holder any more. */
export interface LeaveRequest {
  readonly type: 'LEAVE';
}

export type Request =
  | PingRequest
  | FindNodeRequest
  | FindValueRequest
  | StoreRequest
  | SyncRequest
  | FetchRequest
  | HandOffRequest
  | LeaveRequest;
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

/** Which version of a record a holder has: a header without the key's text and the signature. */
export interface CellVersion {
  /** 64 bytes. */
  readonly cellId: Uint8Array;
  readonly seq: number;
  readonly expiresAt: number;
  readonly deleted: boolean;
  /** 32 bytes. */
  readonly valueHash: Uint8Array;
}

export type SyncPart =
  | { readonly kind: 'same' }
  /** Not the same, and too much to list: the answerer's digest, 16 bytes. Ask again for parts of the range. */
  | { readonly kind: 'differs'; readonly digest: Uint8Array }
  /** Not the same: all that the answerer holds there, in the order of cell ids. */
  | { readonly kind: 'cells'; readonly cells: readonly CellVersion[] };

export interface SyncResponse {
  readonly type: 'SYNC';
  /** One per range; none at all when the one digest of all ranges is the answerer's, too. */
  readonly parts: readonly SyncPart[];
  /** The answerer is settled in all of them. */
  readonly settled: boolean;
}

export interface FetchResponse {
  readonly type: 'FETCH';
  /** At most MAX_RECORDS, in the order of their cell ids, none twice. */
  readonly records: readonly HeldRecord[];
  /** There is more behind the last of `records`: never without any. */
  readonly more: boolean;
}

export interface HandOffResponse {
  readonly type: 'HAND_OFF';
  /** Of each record in order: undefined when it, or a newer version, is held now. */
  readonly refusals: readonly (RefusalReason | undefined)[];
}

export interface LeaveResponse {
  readonly type: 'LEAVE';
}

/** The peer could not or would not answer. */
export interface ErrorResponse {
  readonly type: 'ERROR';
  readonly code: 'UNSUPPORTED' | 'RESOURCE_EXHAUSTED' | 'MALFORMED' | 'INTERNAL';
}

export type Response =
  | PingResponse
  | FindNodeResponse
  | FindValueResponse
  | StoreResponse
  | SyncResponse
  | FetchResponse
  | HandOffResponse
  | LeaveResponse
  | ErrorResponse;

/** The answer that belongs to a request type. */
export type ResponseTo<R extends Request> = Extract<Response, { readonly type: R['type'] }>;
