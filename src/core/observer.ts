/** What the rooms tell whoever listens: logging and metrics subscribe in one place, the rooms know neither. */
import type { ErrorCode } from './errors.ts';

/** Ids and keys travel as text (hex node ids, key strings): an event is for people and counters, not for protocol. */
export type NodeEvent =
  | { readonly type: 'peer-connected'; readonly nodeId: string; readonly mode: string }
  | { readonly type: 'peer-disconnected'; readonly nodeId: string }
  /** A stream or frame was dropped; counted by reason. */
  | { readonly type: 'peer-misbehaved'; readonly nodeId: string; readonly reason: string }
  | { readonly type: 'contact-added'; readonly nodeId: string }
  | { readonly type: 'contact-removed'; readonly nodeId: string }
  | { readonly type: 'request-sent'; readonly request: string }
  | { readonly type: 'request-failed'; readonly request: string; readonly code: ErrorCode }
  | { readonly type: 'request-served'; readonly request: string }
  | { readonly type: 'lookup-finished'; readonly hops: number; readonly requests: number; readonly elapsedMs: number }
  | { readonly type: 'record-stored'; readonly key: string; readonly deleted: boolean }
  | { readonly type: 'record-refused'; readonly key: string; readonly reason: string }
  | { readonly type: 'record-expired'; readonly key: string; readonly deleted: boolean }
  /** Copies moved between this node and another holder, outside of puts. */
  | { readonly type: 'records-repaired'; readonly nodeId: string; readonly fetched: number; readonly pushed: number }
  | { readonly type: 'shard-opened'; readonly shard: string }
  /** `reason` unless it is closed. */
  | {
      readonly type: 'shard-circuit';
      readonly shard: string;
      readonly state: 'closed' | 'open' | 'half-open';
      readonly reason?: string;
    }
  | { readonly type: 'shard-job-failed'; readonly shard: string; readonly code: ErrorCode; readonly reason: string }
  /** A write for `shard` waits on `holder`, or has arrived. */
  | { readonly type: 'hint-stored'; readonly shard: string; readonly holder: string }
  | { readonly type: 'hint-home'; readonly shard: string; readonly holder: string }
  /** Nothing is left on it: it may be taken away. */
  | { readonly type: 'shard-drained'; readonly shard: string }
  | { readonly type: 'bootstrap-progress'; readonly source: string; readonly message: string }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

export interface Observer {
  /** Must not throw and must not block. */
  notify(event: NodeEvent): void;
}

export const SILENT_OBSERVER: Observer = { notify: () => undefined };
