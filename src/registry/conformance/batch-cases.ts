/** Batches: as many single calls, in order, in one round trip. */
import assert from 'node:assert/strict';
import type { StoreIfOperation } from '../storage.ts';
import { type ConformanceCase, entry, equalEntry, key, noise, numberedKey } from './conformance-case.ts';

export const BATCH_CASES: readonly ConformanceCase[] = [
  {
    name: 'a batch of reads answers in order, absent and repeated keys included',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1));
      await storage.store(key(2), entry(clock, 2));
      const found = await storage.retrieveBatch([key(2), key(9), key(1), key(2)]);
      assert.deepEqual(
        found.map((each) => each?.version),
        [2, undefined, 1, 2],
      );
    },
  },
  {
    name: 'empty batches are answered with empty lists',
    async run({ storage }) {
      assert.deepEqual(await storage.retrieveBatch([]), []);
      assert.deepEqual(await storage.storeIfBatch([]), []);
    },
  },
  {
    name: 'each operation of a batch stands alone: a mismatch stops no other',
    async run({ storage, clock }) {
      await storage.store(key(2), entry(clock, 5));
      const outcomes = await storage.storeIfBatch([
        { key: key(1), expected: 'absent', entry: entry(clock, 1) },
        { key: key(2), expected: 'absent', entry: entry(clock, 6) },
        { key: key(3), expected: 9, entry: entry(clock, 10) },
        { key: key(4), expected: 'absent', entry: entry(clock, 4) },
      ]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['stored', 'mismatch', 'mismatch', 'stored'],
      );
      const found = await storage.retrieveBatch([key(1), key(2), key(3), key(4)]);
      assert.deepEqual(
        found.map((each) => each?.version),
        [1, 5, undefined, 4],
      );
    },
  },
  {
    name: 'operations of a batch on one key see each other, in order',
    async run({ storage, clock }) {
      const outcomes = await storage.storeIfBatch([
        { key: key(1), expected: 'absent', entry: entry(clock, 1) },
        { key: key(1), expected: 1, entry: entry(clock, 2) },
        { key: key(1), expected: 1, entry: entry(clock, 3) },
      ]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['stored', 'stored', 'mismatch'],
      );
      assert.equal((await storage.retrieve(key(1)))?.version, 2);
    },
  },
  {
    name: 'a thousand entries go in and come out in one batch each',
    async run({ storage, clock }) {
      const operations = Array.from(
        { length: 1_000 },
        (_, n): StoreIfOperation => ({ key: numberedKey(n), expected: 'absent', entry: entry(clock, n + 1) }),
      );
      const outcomes = await storage.storeIfBatch(operations);
      assert.equal(outcomes.filter(({ kind }) => kind === 'stored').length, 1_000);
      const found = await storage.retrieveBatch(operations.map((operation) => operation.key));
      assert.deepEqual(
        found.map((each) => each?.version),
        operations.map((operation) => operation.entry.version),
      );
    },
  },
  {
    name: 'a batch of 32 values of 64 KiB goes in, comes out and is scanned byte for byte',
    async run({ storage, clock }) {
      const operations = Array.from(
        { length: 32 },
        (_, n): StoreIfOperation => ({
          key: numberedKey(n),
          expected: 'absent',
          entry: entry(clock, n + 1, noise(65_536).fill(n, 0, 8)),
        }),
      );
      const outcomes = await storage.storeIfBatch(operations);
      assert.ok(outcomes.every(({ kind }) => kind === 'stored'));
      const found = await storage.retrieveBatch(operations.map((operation) => operation.key));
      const scanned = await storage.scan({ limit: 100 });
      assert.equal(scanned.length, 32);
      for (const [n, { entry }] of operations.entries()) {
        equalEntry(found[n], entry);
        equalEntry(scanned[n], entry);
      }
    },
  },
  {
    name: 'two batches over the same keys at once: each key is won exactly once',
    async run({ storage, clock }) {
      const batch = (version: number) =>
        Array.from(
          { length: 50 },
          (_, n): StoreIfOperation => ({ key: numberedKey(n), expected: 'absent', entry: entry(clock, version) }),
        );
      const [first, second] = await Promise.all([storage.storeIfBatch(batch(1)), storage.storeIfBatch(batch(2))]);
      const found = await storage.retrieveBatch(batch(1).map((operation) => operation.key));
      for (const [n, each] of found.entries()) {
        const wins = [first[n]?.kind === 'stored', second[n]?.kind === 'stored'];
        assert.deepEqual(wins, [each?.version === 1, each?.version === 2], `key ${n}`);
      }
    },
  },
];
