/**
 * What every storage must do, as a list of cases that any test runner can run. A storage's whole test file:
 *
 *     import { storageConformance } from 'nautilus-registry/storage-conformance';
 *     for (const { name, skip, run } of storageConformance({ open: async (clock) => ({ storage: new MyStorage({ clock }) }) })) {
 *       test(name, (context) => (skip === undefined ? run() : context.skip(skip)));
 *     }
 *
 * Each case opens a storage of its own and closes it. A case that a storage cannot run is listed with the reason, never left out.
 */
import { BATCH_CASES } from './conformance/batch-cases.ts';
import { type ConformanceCase, type StorageSubject, SuiteClock } from './conformance/conformance-case.ts';
import { ENTRY_CASES } from './conformance/entry-cases.ts';
import { EXPIRY_CASES } from './conformance/expiry-cases.ts';
import { LIFE_CASES } from './conformance/life-cases.ts';
import { MERGE_CASES } from './conformance/merge-cases.ts';
import { SCAN_CASES } from './conformance/scan-cases.ts';
import { STORE_IF_CASES } from './conformance/store-if-cases.ts';

export type { OpenedStorage, StorageSubject } from './conformance/conformance-case.ts';

export interface StorageCase {
  readonly name: string;
  /** Why this storage does not run the case; undefined: it must pass. */
  readonly skip: string | undefined;
  /** Rejects with an assertion error that says what was expected. */
  run(): Promise<void>;
}

const CASES: readonly ConformanceCase[] = [
  ...ENTRY_CASES,
  ...STORE_IF_CASES,
  ...BATCH_CASES,
  ...SCAN_CASES,
  ...EXPIRY_CASES,
  ...LIFE_CASES,
  ...MERGE_CASES,
];

/** All cases, in a fixed order. */
export function storageConformance(subject: StorageSubject): readonly StorageCase[] {
  return CASES.map(({ name, needs = [], run }) => ({
    name,
    skip: needs.map((need) => missing(need, subject)).find((reason) => reason !== undefined),
    run: async () => {
      const clock = new SuiteClock();
      const opened = await subject.open(clock);
      try {
        await run({ ...opened, clock, subject });
      } finally {
        await opened.storage.close();
        await opened.dispose?.();
      }
    },
  }));
}

function missing(need: NonNullable<ConformanceCase['needs']>[number], subject: StorageSubject): string | undefined {
  switch (need) {
    case 'persistence':
      return subject.isPersistent === true ? undefined : 'does not survive its process, and does not say it would';
    case 'bounds':
      return subject.openBounded === undefined ? 'has no bound of its own' : undefined;
  }
}
