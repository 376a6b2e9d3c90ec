/** Ordered scans: what reconciliation, listing and rebuilding rest on. */
import assert from 'node:assert/strict';
import type { RegistryStorage } from '../storage.ts';
import { type ConformanceCase, entry, equalEntry, equalKeys, key, numberedKey } from './conformance-case.ts';

/** In bytewise order, written in another. */
const ODD_KEYS = [
  key(0),
  key(0, 0),
  key(0, 1),
  key(1),
  key(1, 255),
  key(2),
  key(127),
  key(128),
  key(255),
  key(255, 0),
  key(255, 255),
];

async function pages(storage: RegistryStorage, limit: number, prefix?: Uint8Array): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  for (;;) {
    const after = keys.at(-1);
    const page = await storage.scan({ limit, ...(prefix && { prefix }), ...(after && { after }) });
    assert.ok(page.length <= limit, `${page.length} entries where at most ${limit} were asked for`);
    keys.push(...page.map((each) => each.key));
    if (page.length < limit) return keys;
  }
}

export const SCAN_CASES: readonly ConformanceCase[] = [
  {
    name: 'scanning an empty storage finds nothing',
    async run({ storage }) {
      assert.deepEqual(await storage.scan({ limit: 10 }), []);
    },
  },
  {
    name: 'a scan hands out whole entries',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock, 7, key(9, 8)));
      const [found] = await storage.scan({ limit: 10 });
      equalEntry(found, entry(clock, 7, key(9, 8)));
    },
  },
  {
    name: 'keys come in bytewise order, a shorter prefix first, whatever order they were written in',
    async run({ storage, clock }) {
      for (const each of ODD_KEYS.toReversed()) await storage.store(each, entry(clock));
      equalKeys(await storage.scan({ limit: 100 }), ODD_KEYS);
    },
  },
  {
    name: 'a limit stops a scan and the cursor goes on behind it: every key once, for every page size',
    async run({ storage, clock }) {
      for (const each of ODD_KEYS) await storage.store(each, entry(clock));
      for (const limit of [1, 2, 5, ODD_KEYS.length, 100]) {
        equalKeys(
          (await pages(storage, limit)).map((each) => ({ key: each })),
          ODD_KEYS,
        );
      }
    },
  },
  {
    name: 'a limit of zero asks for nothing',
    async run({ storage, clock }) {
      await storage.store(key(1), entry(clock));
      assert.deepEqual(await storage.scan({ limit: 0 }), []);
    },
  },
  {
    name: 'a prefix finds its keys, the key that equals it included, and no other',
    async run({ storage, clock }) {
      for (const each of ODD_KEYS) await storage.store(each, entry(clock));
      equalKeys(await storage.scan({ limit: 100, prefix: key(0) }), [key(0), key(0, 0), key(0, 1)]);
      equalKeys(await storage.scan({ limit: 100, prefix: key(1, 255) }), [key(1, 255)]);
      equalKeys(await storage.scan({ limit: 100, prefix: key(3) }), []);
      equalKeys(await storage.scan({ limit: 100, prefix: new Uint8Array(0) }), ODD_KEYS);
    },
  },
  {
    name: 'a prefix of 0xff bytes, which has no next prefix, works like any other',
    async run({ storage, clock }) {
      for (const each of ODD_KEYS) await storage.store(each, entry(clock));
      equalKeys(await storage.scan({ limit: 100, prefix: key(255) }), [key(255), key(255, 0), key(255, 255)]);
      equalKeys(await storage.scan({ limit: 100, prefix: key(255, 255) }), [key(255, 255)]);
    },
  },
  {
    name: 'prefix and cursor work together, also when the cursor lies outside the prefix',
    async run({ storage, clock }) {
      for (const each of ODD_KEYS) await storage.store(each, entry(clock));
      const within = [key(1), key(1, 255)];
      equalKeys(
        (await pages(storage, 1, key(1))).map((each) => ({ key: each })),
        within,
      );
      equalKeys(await storage.scan({ limit: 100, prefix: key(1), after: key(0, 1) }), within);
      equalKeys(await storage.scan({ limit: 100, prefix: key(1), after: key(1) }), [key(1, 255)]);
      equalKeys(await storage.scan({ limit: 100, prefix: key(1), after: key(2) }), []);
    },
  },
  {
    name: 'a cursor need not be a key that is there',
    async run({ storage, clock }) {
      for (const n of [10, 20, 30]) await storage.store(numberedKey(n), entry(clock));
      equalKeys(await storage.scan({ limit: 10, after: numberedKey(15) }), [numberedKey(20), numberedKey(30)]);
      const page = await storage.scan({ limit: 1, after: numberedKey(10) });
      await storage.remove(page[0]!.key);
      equalKeys(await storage.scan({ limit: 10, after: page[0]!.key }), [numberedKey(30)]);
    },
  },
  {
    name: 'removed keys are not scanned',
    async run({ storage, clock }) {
      for (let n = 0; n < 10; n++) await storage.store(numberedKey(n), entry(clock));
      for (let n = 0; n < 10; n += 2) await storage.remove(numberedKey(n));
      equalKeys(await storage.scan({ limit: 100 }), [1, 3, 5, 7, 9].map(numberedKey));
    },
  },
  {
    name: 'two thousand keys are scanned in order, page by page',
    async run({ storage, clock }) {
      const numbers = Array.from({ length: 2_000 }, (_, n) => n);
      const shuffled = numbers.map((n) => (n * 1_237) % 2_000);
      await storage.storeIfBatch(
        shuffled.map((n) => ({ key: numberedKey(n), expected: 'absent' as const, entry: entry(clock) })),
      );
      equalKeys(
        (await pages(storage, 333)).map((each) => ({ key: each })),
        numbers.map(numberedKey),
      );
    },
  },
  {
    name: 'while others write, a scan stays in order and misses no key that was there all along',
    async run({ storage, clock }) {
      const lasting = Array.from({ length: 100 }, (_, n) => numberedKey(n * 2));
      for (const each of lasting) await storage.store(each, entry(clock));
      let isScanning = true;
      const write = async () => {
        for (let n = 0; isScanning; n = (n + 1) % 100) {
          await storage.store(numberedKey(n * 2 + 1), entry(clock));
          await storage.remove(numberedKey(((n + 50) % 100) * 2 + 1));
        }
      };
      const writing = write();
      const seen: string[] = [];
      let after: Uint8Array | undefined;
      for (;;) {
        const page = await storage.scan({ limit: 7, ...(after && { after }) });
        seen.push(...page.map((each) => hex(each.key)));
        if (page.length < 7) break;
        after = page.at(-1)!.key;
      }
      isScanning = false;
      await writing;
      assert.deepEqual(seen, [...new Set(seen)].sort());
      for (const each of lasting) assert.ok(seen.includes(hex(each)), `${hex(each)} was missed`);
    },
  },
];

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
