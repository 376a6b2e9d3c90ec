/** What the parts that work on one ring share. */
import type { Clock, Observer } from '../../core/index.ts';
import type { MergeEntries, StorageEntry } from '../storage.ts';
import type { HintIndex } from './hint-index.ts';
import type { HintNotes } from './hint-notes.ts';
import type { RingLayout } from './ring-layout.ts';

export interface RingParts {
  readonly layout: RingLayout;
  readonly hints: HintIndex;
  readonly notes: HintNotes;
  readonly clock: Clock;
  readonly observer: Observer;
  /** See `StorageParts.mergeWith`. */
  merge: MergeEntries;
  /** An entry is another one than whoever wrote it knows. */
  onMerged(key: Uint8Array): void;
}

/** Without anybody who knows better: the higher version is the newer one. */
export const HIGHER_VERSION: MergeEntries = (_key: Uint8Array, current: StorageEntry, other: StorageEntry) =>
  other.version > current.version ? other : current;
