/** Compare-and-set: the primitive that all merging rests on. */
import assert from 'node:assert/strict';
import type { StoreIfOutcome } from '../storage.ts';
import { type ConformanceCase, entry, equalEntry, key, numberedKey } from './conformance-case.ts';

const RIVALS = 100;

function kinds(outcomes: readonly StoreIfOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export const STORE_IF_CASES: readonly ConformanceCase[] = [
  {
    name: 'expecting absence stores where nothing is',
    async run({ storage, clock }) {
      const outcome = await storage.storeIf({ key: key(1), expected: 'absent', entry: entry(clock) });
      assert.deepEqual(outcome, { kind: 'stored' });
      equalEntry(await storage.retrieve(key(1)), entry(clock));
    },
  },
  {
    name: 'expecting absence where something is changes nothing and shows what is there',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 5));
      const outcome = await storage.storeIf({ key: key(1), expected: 'absent', entry: entry(clock, 6) });
      assert.equal(outcome.kind, 'mismatch');
      equalEntry(outcome.kind === 'mismatch' ? outcome.current : undefined, entry(clock, 5));
      equalEntry(await storage.retrieve(key(1)), entry(clock, 5));
    },
  },
  {
    name: 'expecting the version that is there replaces it',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 5));
      const outcome = await storage.storeIf({ key: key(1), expected: 5, entry: entry(clock, 6, key(6)) });
      assert.deepEqual(outcome, { kind: 'stored' });
      equalEntry(await storage.retrieve(key(1)), entry(clock, 6, key(6)));
    },
  },
  {
    name: 'expecting another version, older or newer, changes nothing and shows what is there',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 5));
      for (const expected of [4, 6]) {
        const outcome = await storage.storeIf({ key: key(1), expected, entry: entry(clock, 9) });
        assert.equal(outcome.kind, 'mismatch');
        equalEntry(outcome.kind === 'mismatch' ? outcome.current : undefined, entry(clock, 5));
      }
      equalEntry(await storage.retrieve(key(1)), entry(clock, 5));
    },
  },
  {
    name: 'expecting a version where nothing is stores nothing and shows absence',
    async run({ storage, clock }) {
      const outcome = await storage.storeIf({ key: key(1), expected: 1, entry: entry(clock, 2) });
      assert.equal(outcome.kind, 'mismatch');
      assert.equal(outcome.kind === 'mismatch' && outcome.current, undefined);
      assert.equal(await storage.contains(key(1)), false);
    },
  },
  {
    name: 'a removed entry is absent again',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 5));
      await storage.remove(key(1));
      assert.equal((await storage.storeIf({ key: key(1), expected: 5, entry: entry(clock, 6) })).kind, 'mismatch');
      assert.equal((await storage.storeIf({ key: key(1), expected: 'absent', entry: entry(clock) })).kind, 'stored');
    },
  },
  {
    name: `of ${RIVALS} who expect absence at once exactly one wins, and the others see it`,
    async run({ storage, clock }) {
      const outcomes = await Promise.all(
        Array.from({ length: RIVALS }, (_, n) =>
          storage.storeIf({ key: key(1), expected: 'absent', entry: entry(clock, n + 1) }),
        ),
      );
      assert.deepEqual(kinds(outcomes), { stored: 1, mismatch: RIVALS - 1 });
      const winner = outcomes.findIndex(({ kind }) => kind === 'stored') + 1;
      assert.equal((await storage.retrieve(key(1)))?.version, winner);
      for (const outcome of outcomes) {
        if (outcome.kind === 'mismatch') assert.equal(outcome.current?.version, winner);
      }
    },
  },
  {
    name: `of ${RIVALS} who expect the same version at once exactly one wins`,
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1));
      const outcomes = await Promise.all(
        Array.from({ length: RIVALS }, (_, n) =>
          storage.storeIf({ key: key(1), expected: 1, entry: entry(clock, n + 2) }),
        ),
      );
      assert.deepEqual(kinds(outcomes), { stored: 1, mismatch: RIVALS - 1 });
    },
  },
  {
    name: 'twenty who each count to five by trying again lose no increment',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1));
      const increment = async (): Promise<void> => {
        for (;;) {
          const version = (await storage.retrieve(key(1)))!.version;
          const next = entry(clock, version + 1);
          if ((await storage.storeIf({ key: key(1), expected: version, entry: next })).kind === 'stored') return;
        }
      };
      const counter = async () => {
        for (let n = 0; n < 5; n++) await increment();
      };
      await Promise.all(Array.from({ length: 20 }, counter));
      assert.equal((await storage.retrieve(key(1)))?.version, 101);
    },
  },
  {
    name: 'single calls and batches that race for one key have one winner, and the losers see it',
    async run({ storage, clock }) {
      const operation = (version: number) =>
        ({ key: key(1), expected: 'absent', entry: entry(clock, version) }) as const;
      const outcomes = (
        await Promise.all(
          Array.from({ length: 20 }, async (_, n) =>
            n % 2 === 0
              ? [await storage.storeIf(operation(2 * n + 1))]
              : storage.storeIfBatch([operation(2 * n + 1), operation(2 * n + 2)]),
          ),
        )
      ).flat();
      assert.deepEqual(kinds(outcomes), { stored: 1, mismatch: 29 });
      const left = await storage.retrieve(key(1));
      for (const outcome of outcomes) {
        if (outcome.kind === 'mismatch') assert.equal(outcome.current?.version, left?.version);
      }
    },
  },
  {
    name: 'of a removal and a compare-and-set at once one comes first, and both answers say so',
    async run({ storage, clock }) {
      for (let n = 0; n < 20; n++) {
        const each = numberedKey(n);
        await storage.store(each, entry(clock, 1));
        const early = n % 2 === 0 ? storage.remove(each) : undefined;
        const set = storage.storeIf({ key: each, expected: 1, entry: entry(clock, 2) });
        const [outcome, wasThere] = await Promise.all([set, early ?? storage.remove(each)]);
        assert.equal(wasThere, true);
        assert.ok(outcome.kind === 'stored' || (outcome.kind === 'mismatch' && outcome.current === undefined));
        assert.equal(await storage.contains(each), false);
      }
    },
  },
  {
    name: "versions are the caller's: a lower one may follow a higher one",
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 9));
      const outcome = await storage.storeIf({ key: key(1), expected: 9, entry: entry(clock, 3) });
      assert.deepEqual(outcome, { kind: 'stored' });
      assert.equal((await storage.retrieve(key(1)))?.version, 3);
    },
  },
  {
    name: 'writers of different keys do not disturb each other',
    async run({ storage, clock }) {
      const outcomes = await Promise.all(
        Array.from({ length: RIVALS }, (_, n) =>
          storage.storeIf({ key: numberedKey(n), expected: 'absent', entry: entry(clock, n + 1) }),
        ),
      );
      assert.deepEqual(kinds(outcomes), { stored: RIVALS });
      assert.equal((await storage.scan({ limit: RIVALS + 1 })).length, RIVALS);
    },
  },
  {
    name: 'a write that is resolved is seen by every later read, whatever its kind',
    async run({ storage, clock }) {
      for (let n = 1; n <= 20; n++) {
        await storage.storeIf({ key: key(1), expected: n === 1 ? 'absent' : n - 1, entry: entry(clock, n) });
        const [single, [batched], [scanned]] = await Promise.all([
          storage.retrieve(key(1)),
          storage.retrieveBatch([key(1)]),
          storage.scan({ limit: 1 }),
        ]);
        assert.deepEqual([single?.version, batched?.version, scanned?.version], [n, n, n]);
      }
    },
  },
];
