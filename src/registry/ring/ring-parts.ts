/** What the parts that work on one ring share. */
import type { Clock, Observer } from '../../core/index.ts';
import type { MergeEntries, StorageEntry } from '../storage.ts';
import type { HintIndex } from './hint-index.ts';
import type { RingLayout } from './ring-layout.ts';
import type { RingNotes } from './ring-notes.ts';

export interface RingParts {
  readonly layout: RingLayout;
  readonly hints: HintIndex;
  readonly notes: RingNotes;
  readonly clock: Clock;
  readonly observer: Observer;
  /** See `StorageParts.mergeWith`. */
  merge: MergeEntries;
  /** An entry is another one than whoever wrote it knows. */
  onMerged(key: Uint8Array): void;
  /** An entry is about to lie elsewhere than before: whoever is looking for it may have looked there already. */
  onRelocated(key: Uint8Array): void;
  /** A hint has been written, or may have been. */
  onHint(): void;
}

/** Without anybody who knows better: the higher version is the newer one. */
export const HIGHER_VERSION: MergeEntries = (_key: Uint8Array, current: StorageEntry, other: StorageEntry) =>
  other.version > current.version ? other : current;
