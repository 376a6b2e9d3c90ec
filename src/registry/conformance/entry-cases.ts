/** Single entries: what goes in comes out, whatever the bytes. */
import assert from 'node:assert/strict';
import { compareBytes, utf8Encode } from '../../records/index.ts';
import { type ConformanceCase, entry, equalEntry, equalKeys, key, noise, numberedKey } from './conformance-case.ts';

export const ENTRY_CASES: readonly ConformanceCase[] = [
  {
    name: 'an absent key is undefined, not an error',
    async run({ storage }) {
      assert.equal(await storage.retrieve(key(1)), undefined);
      assert.equal(await storage.contains(key(1)), false);
    },
  },
  {
    name: 'a stored entry comes back with its value, version and deadline',
    async run({ storage, clock }) {
      const stored = entry(clock, 7);
      assert.equal(await storage.store(key(1), stored), 'stored');
      equalEntry(await storage.retrieve(key(1)), stored);
      assert.equal(await storage.contains(key(1)), true);
    },
  },
  {
    name: 'storing again replaces the entry',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1, key(1)));
      const second = { value: key(2, 2), version: 2, expiresAt: clock.now() + 5 };
      await storage.store(key(1), second);
      equalEntry(await storage.retrieve(key(1)), second);
    },
  },
  {
    name: 'an empty value is a value',
    async run({ storage, clock }) {
      const empty = entry(clock, 1, new Uint8Array(0));
      await storage.store(key(1), empty);
      equalEntry(await storage.retrieve(key(1)), empty);
      assert.equal(await storage.contains(key(1)), true);
      const outcome = await storage.storeIf({ key: key(1), expected: 'absent', entry: entry(clock, 2) });
      assert.equal(outcome.kind, 'mismatch');
    },
  },
  ...[65_536, 1_048_576].map(
    (length): ConformanceCase => ({
      name: `a value of ${length} bytes comes back byte for byte`,
      async run({ storage, clock }) {
        const large = entry(clock, 1, noise(length));
        await storage.store(key(1), large);
        equalEntry(await storage.retrieve(key(1)), large);
      },
    }),
  ),
  {
    name: 'the largest version and the farthest deadline survive',
    async run({ storage }) {
      const extreme = { value: key(1), version: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER };
      await storage.store(key(1), extreme);
      equalEntry(await storage.retrieve(key(1)), extreme);
      const outcome = await storage.storeIf({ key: key(1), expected: extreme.version - 1, entry: extreme });
      assert.equal(outcome.kind, 'mismatch');
    },
  },
  {
    name: 'removing tells whether there was something, and leaves nothing',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock));
      assert.equal(await storage.remove(key(1)), true);
      assert.equal(await storage.retrieve(key(1)), undefined);
      assert.equal(await storage.remove(key(1)), false);
    },
  },
  {
    name: 'every one-byte key is a key of its own, 0x00 and 0xff included',
    async run({ storage, clock }) {
      const bytes = Array.from({ length: 256 }, (_, byte) => byte);
      await Promise.all(bytes.map((byte) => storage.store(key(byte), entry(clock, byte + 1))));
      const versions = await Promise.all(bytes.map(async (byte) => (await storage.retrieve(key(byte)))?.version));
      assert.deepEqual(
        versions,
        bytes.map((byte) => byte + 1),
      );
    },
  },
  {
    name: 'keys that differ only by trailing zeros are different keys',
    async run({ storage, clock }) {
      const keys = [key(0), key(0, 0), key(0, 0, 0), key(1), key(1, 0)];
      for (const [index, each] of keys.entries()) await storage.store(each, entry(clock, index + 1));
      const found = await storage.retrieveBatch(keys);
      assert.deepEqual(
        found.map((each) => each?.version),
        [1, 2, 3, 4, 5],
      );
    },
  },
  {
    name: 'keys that look like paths, patterns, escapes, quotes or broken UTF-8 are bytes like any other',
    async run({ storage, clock }) {
      const texts = [
        '.',
        '..',
        '../x',
        'a/b',
        'a\\b',
        '*',
        '[a]',
        '{a}',
        '%',
        '%2e',
        "'",
        '"',
        '\\x00',
        '\n',
        '\r\n',
        ' ',
        'é',
      ];
      const broken = [key(0xc3), key(0xc3, 0x28), key(0xed, 0xa0, 0x80), key(0xff, 0xfe)];
      const keys = [...texts.map(utf8Encode), ...broken];
      for (const [index, each] of keys.entries()) await storage.store(each, entry(clock, index + 1));
      const found = await storage.retrieveBatch(keys);
      assert.deepEqual(
        found.map((each) => each?.version),
        keys.map((_, index) => index + 1),
      );
      equalKeys(await storage.scan({ limit: 100 }), keys.toSorted(compareBytes));
    },
  },
  ...[64, 512].map(
    (length): ConformanceCase => ({
      name: `keys of ${length} bytes that differ only in their last bit are kept apart`,
      async run({ storage, clock }) {
        const [even, odd] = [noise(length), noise(length)];
        odd[length - 1] = odd[length - 1]! ^ 1;
        await storage.store(even, entry(clock, 1));
        await storage.store(odd, entry(clock, 2));
        assert.equal((await storage.retrieve(even))?.version, 1);
        assert.equal((await storage.retrieve(odd))?.version, 2);
      },
    }),
  ),
  {
    name: 'an empty key and one over 512 bytes are rejected and store nothing',
    async run({ storage, clock }) {
      for (const length of [0, 513]) {
        await assert.rejects(storage.store(new Uint8Array(length), entry(clock)), `${length} bytes`);
        await assert.rejects(storage.retrieve(new Uint8Array(length)), `${length} bytes`);
        const operation = { key: new Uint8Array(length), expected: 'absent', entry: entry(clock) } as const;
        await assert.rejects(storage.storeIf(operation), `${length} bytes`);
      }
      assert.deepEqual(await storage.scan({ limit: 10 }), []);
    },
  },
  {
    name: 'buffers may be reused by the caller after a write',
    async run({ storage, clock }) {
      const [keyBuffer, value] = [key(1, 1), key(5, 5, 5)];
      await storage.store(keyBuffer, entry(clock, 1, value));
      keyBuffer.fill(9);
      value.fill(9);
      equalEntry(await storage.retrieve(key(1, 1)), entry(clock, 1, key(5, 5, 5)));
    },
  },
  {
    name: 'buffers may be reused by the caller while a write is on its way',
    async run({ storage, clock }) {
      const [keyBuffer, value] = [key(1, 1), key(5, 5, 5)];
      const write = storage.storeIf({ key: keyBuffer, expected: 'absent', entry: entry(clock, 1, value) });
      await write;
      keyBuffer.fill(9);
      value.fill(9);
      assert.equal(await storage.retrieve(keyBuffer), undefined);
      equalEntry(await storage.retrieve(key(1, 1)), entry(clock, 1, key(5, 5, 5)));
    },
  },
  {
    name: 'changing bytes that were handed out changes nothing in the storage',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1, key(5, 5, 5)));
      (await storage.retrieve(key(1)))?.value.fill(9);
      const [scanned] = await storage.scan({ limit: 1 });
      scanned?.value.fill(9);
      scanned?.key.fill(9);
      equalEntry(await storage.retrieve(key(1)), entry(clock, 1, key(5, 5, 5)));
    },
  },
  {
    name: 'an entry that was replaced is counted once',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 1));
      for (let version = 2; version < 10; version++) await storage.store(key(1), entry(clock, version, noise(version)));
      assert.equal((await storage.size()).entries, 1);
    },
  },
  {
    name: 'the size grows with entries and shrinks with removals',
    async run({ storage, clock }) {
      const empty = await storage.size();
      for (let n = 0; n < 50; n++) await storage.store(numberedKey(n), entry(clock, 1, noise(1_000)));
      const full = await storage.size();
      assert.equal(full.entries - empty.entries, 50);
      assert.ok(full.bytes - empty.bytes >= 50_000, `${full.bytes} bytes do not hold 50 values of 1,000`);
      for (let n = 0; n < 50; n++) await storage.remove(numberedKey(n));
      assert.equal((await storage.size()).entries, empty.entries);
    },
  },
];
