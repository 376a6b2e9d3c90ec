/** Hybrid logical clock in microseconds (Kulkarni et al. 2014): close to wall time, never behind what was seen on the same key. */
import { assert } from '../core/index.ts';

export interface SeqSources {
  /** Newest seq of this publisher on this key that a holder acknowledged; 0 if none. Survives restarts. */
  readonly lastAcknowledged: number;
  /** Newest seq any answer showed on this key; 0 if none. */
  readonly newestSeen: number;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: number;
}

/** The seq of the next record on a key. A seq that no holder accepted is simply not remembered by the caller. */
export function nextSeq({ lastAcknowledged, newestSeen, nowMs }: SeqSources): number {
  const seq = Math.max(lastAcknowledged, newestSeen, Math.floor(nowMs) * 1000) + 1;
  assert(Number.isSafeInteger(seq), 'seq is a safe integer until the year 2255');
  return seq;
}
