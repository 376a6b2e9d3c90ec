/** What came of telling the routing table something. It never throws for it: a full bucket is no error. */
import type { Contact } from './contact.ts';

export type InsertOutcome =
  | { readonly kind: 'inserted' }
  | { readonly kind: 'updated' }
  /** It waits as a replacement. The caller pings the oldest: `insert` it again if it answers, `remove` it if not. */
  | { readonly kind: 'full'; readonly oldest: Contact; readonly oldestSeenAt: number }
  | { readonly kind: 'rejected'; readonly reason: 'self' | 'group' };

export type FailureOutcome =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'kept' }
  /** `promoted`: replacements that have a place now. */
  | { readonly kind: 'removed'; readonly promoted: readonly Contact[] };

export const UNKNOWN: FailureOutcome = { kind: 'unknown' };
export const KEPT: FailureOutcome = { kind: 'kept' };
export const REJECTED_BY_GROUP: InsertOutcome = { kind: 'rejected', reason: 'group' };
export const INSERTED: InsertOutcome = { kind: 'inserted' };
export const UPDATED: InsertOutcome = { kind: 'updated' };
