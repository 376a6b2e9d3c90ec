/** Deadlines: exact, on every path, however the entry got its deadline. */
import assert from 'node:assert/strict';
import { type ConformanceCase, entry, equalEntry, key, LIFE_MS, numberedKey } from './conformance-case.ts';

export const EXPIRY_CASES: readonly ConformanceCase[] = [
  {
    name: 'an entry is there up to the last millisecond and gone at its deadline, on every path',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock));
      const look = async () => [
        (await storage.retrieve(key(1))) !== undefined,
        await storage.contains(key(1)),
        (await storage.retrieveBatch([key(1)]))[0] !== undefined,
        (await storage.scan({ limit: 1 })).length === 1,
      ];
      clock.advance(LIFE_MS - 1);
      assert.deepEqual(await look(), [true, true, true, true]);
      clock.advance(1);
      assert.deepEqual(await look(), [false, false, false, false]);
    },
  },
  {
    name: 'an entry stored past its deadline is never seen',
    async run({ storage, clock }) {
      await storage.store(key(1), { ...entry(clock), expiresAt: clock.now() });
      await storage.store(key(2), { ...entry(clock), expiresAt: clock.now() - 1 });
      assert.deepEqual(await storage.retrieveBatch([key(1), key(2)]), [undefined, undefined]);
      assert.deepEqual(await storage.scan({ limit: 10 }), []);
    },
  },
  {
    name: 'an expired entry is absent to storeIf, whatever its version was',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 5));
      clock.advance(LIFE_MS);
      const byVersion = await storage.storeIf({ key: key(1), expected: 5, entry: entry(clock, 6) });
      assert.equal(byVersion.kind, 'mismatch');
      assert.equal(byVersion.kind === 'mismatch' && byVersion.current, undefined);
      assert.equal((await storage.storeIf({ key: key(1), expected: 'absent', entry: entry(clock, 1) })).kind, 'stored');
      equalEntry(await storage.retrieve(key(1)), entry(clock, 1));
    },
  },
  {
    name: 'replacing an entry replaces its deadline, later and sooner',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1));
      await storage.store(key(2), entry(clock, 1));
      await storage.storeIf({
        key: key(1),
        expected: 1,
        entry: { ...entry(clock, 2), expiresAt: clock.now() + 2 * LIFE_MS },
      });
      await storage.storeIf({ key: key(2), expected: 1, entry: { ...entry(clock, 2), expiresAt: clock.now() + 10 } });
      clock.advance(10);
      assert.deepEqual([await storage.contains(key(1)), await storage.contains(key(2))], [true, false]);
      clock.advance(2 * LIFE_MS - 11);
      assert.equal(await storage.contains(key(1)), true);
      clock.advance(1);
      assert.equal(await storage.contains(key(1)), false);
    },
  },
  {
    name: 'removing an expired entry finds nothing',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock));
      clock.advance(LIFE_MS);
      assert.equal(await storage.remove(key(1)), false);
    },
  },
  {
    name: 'a page of a scan is filled past expired entries',
    async run({ storage, clock }) {
      for (let n = 0; n < 30; n++) {
        const expiresAt = clock.now() + (n % 3 === 0 ? LIFE_MS : 1);
        await storage.store(numberedKey(n), { ...entry(clock, n + 1), expiresAt });
      }
      clock.advance(1);
      const page = await storage.scan({ limit: 5 });
      assert.deepEqual(
        page.map(({ version }) => version),
        [1, 4, 7, 10, 13],
      );
    },
  },
  {
    name: 'the place of expired entries is free again once they were removed or scanned over',
    async run({ storage, clock }) {
      for (let n = 0; n < 20; n++) await storage.store(numberedKey(n), entry(clock));
      clock.advance(LIFE_MS);
      for (let n = 0; n < 10; n++) await storage.remove(numberedKey(n));
      await storage.scan({ limit: 100 });
      // A write queues behind whatever the scan has begun; so many that each part of a storage made of several has one.
      const keys = Array.from({ length: 32 }, (_, n) => numberedKey(100 + n));
      for (const each of keys) await storage.store(each, entry(clock));
      for (const each of keys) await storage.remove(each);
      assert.equal((await storage.size()).entries, 0);
    },
  },
];
