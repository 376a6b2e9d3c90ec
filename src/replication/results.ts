/** What put, delete and get return. Times are ms; ids are text; values are bytes. */
import type { Receipt } from './receipt.ts';

export interface PutResult {
  readonly key: string;
  readonly seq: number;
  readonly publisher: string;
  readonly expiresAt: number;
  readonly receipt: Receipt;
  readonly degraded: boolean;
  /** Requests sent over the network for this operation. */
  readonly requests: number;
  readonly elapsedMs: number;
}

export interface FoundRecord {
  readonly value: Uint8Array;
  readonly publisher: string;
  readonly seq: number;
  readonly expiresAt: number;
}

export interface GetResult {
  readonly key: string;
  /** Newest first; exactly one unless all were asked for. Never empty: nothing found is `NOT_FOUND`. */
  readonly records: readonly FoundRecord[];
  /** Holders asked, and how many of them answered with the newest version. */
  readonly asked: number;
  readonly agreed: number;
  /** Fewer settled holders answered than the quorum wants. */
  readonly partial: boolean;
  readonly degraded: boolean;
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
}
