/** Abort signals, closing, restarting, being full: the edges of a storage's life. */
import assert from 'node:assert/strict';
import { isNautilusError } from '../../core/index.ts';
import type { RegistryStorage, StorageOptions } from '../storage.ts';
import {
  type ConformanceCase,
  type ConformanceContext,
  entry,
  equalEntry,
  key,
  LIFE_MS,
  numberedKey,
} from './conformance-case.ts';

/** Every method but close, each trying to change or read key 1. */
function everyCall(storage: RegistryStorage, { clock }: ConformanceContext, options?: StorageOptions) {
  const operation = { key: key(1), expected: 'absent', entry: entry(clock) } as const;
  return {
    retrieve: () => storage.retrieve(key(1), options),
    retrieveBatch: () => storage.retrieveBatch([key(1)], options),
    storeIf: () => storage.storeIf(operation, options),
    storeIfBatch: () => storage.storeIfBatch([operation], options),
    store: () => storage.store(key(1), entry(clock), options),
    remove: () => storage.remove(key(1), options),
    contains: () => storage.contains(key(1), options),
    scan: () => storage.scan({ limit: 1, ...options }),
    size: () => storage.size(options),
  };
}

async function reopened({ storage, reopen }: ConformanceContext): Promise<RegistryStorage> {
  await storage.close();
  assert.ok(reopen, 'a persistent storage comes with reopen()');
  return reopen();
}

export const LIFE_CASES: readonly ConformanceCase[] = [
  {
    name: 'an aborted signal rejects every call with its reason, and nothing is written',
    async run(context) {
      const signal = AbortSignal.abort(new Error('the caller gave up'));
      for (const [method, call] of Object.entries(everyCall(context.storage, context, { signal }))) {
        await assert.rejects(call(), { message: 'the caller gave up' }, method);
      }
      assert.equal(await context.storage.contains(key(1)), false);
    },
  },
  {
    name: 'a signal that aborts during writes leaves each either done or not, and the storage working',
    async run({ storage, clock }) {
      const abort = new AbortController();
      const writes = Array.from({ length: 20 }, (_, n) =>
        storage.storeIf(
          { key: numberedKey(n), expected: 'absent', entry: entry(clock, n + 1) },
          { signal: abort.signal },
        ),
      );
      abort.abort(new Error('the caller gave up'));
      for (const [n, result] of (await Promise.allSettled(writes)).entries()) {
        if (result.status === 'fulfilled') assert.equal((await storage.retrieve(numberedKey(n)))?.version, n + 1);
        else assert.equal((result.reason as Error).message, 'the caller gave up');
      }
      assert.equal(await storage.store(key(200), entry(clock)), 'stored');
      assert.equal(await storage.contains(key(200)), true);
    },
  },
  {
    name: 'a deadline that passes during a call ends that call and no other',
    async run(context) {
      const { storage, clock } = context;
      const deadline = new AbortController();
      const limited = Object.values(everyCall(storage, context, { signal: deadline.signal })).map((call) => call());
      const patient = Array.from({ length: 20 }, (_, n) => storage.store(numberedKey(n), entry(clock, n + 1)));
      deadline.abort(new DOMException('the deadline passed', 'TimeoutError'));
      for (const result of await Promise.allSettled(limited)) {
        if (result.status === 'rejected') assert.equal(result.reason, deadline.signal.reason);
      }
      assert.deepEqual(await Promise.all(patient), Array(20).fill('stored'));
      for (let n = 0; n < 20; n++) assert.equal((await storage.retrieve(numberedKey(n)))?.version, n + 1);
    },
  },
  {
    name: 'a signal that never aborts changes nothing',
    async run({ storage, clock }) {
      const { signal } = new AbortController();
      await storage.store(key(1), entry(clock), { signal });
      equalEntry(await storage.retrieve(key(1), { signal }), entry(clock));
    },
  },
  {
    name: 'closing twice is closing once',
    async run({ storage }) {
      await Promise.all([storage.close(), storage.close()]);
      await storage.close();
    },
  },
  {
    name: 'after close every call fails, and never looks like absence',
    async run(context) {
      await context.storage.close();
      for (const [method, call] of Object.entries(everyCall(context.storage, context))) {
        await assert.rejects(call(), (error) => isNautilusError(error, 'STORAGE_FAILED'), method);
      }
    },
  },
  {
    name: 'writes on their way when the storage is closed are finished first',
    async run({ storage, clock }) {
      const writes = Array.from({ length: 50 }, (_, n) => storage.store(numberedKey(n), entry(clock)));
      await storage.close();
      assert.deepEqual(await Promise.all(writes), Array(50).fill('stored'));
    },
  },
  {
    name: 'entries are there again after a restart, removals stay removed, order and versions hold',
    needs: ['persistence'],
    async run(context) {
      const { storage, clock } = context;
      for (let n = 0; n < 100; n++) await storage.store(numberedKey(n), entry(clock, n + 1));
      for (let n = 0; n < 100; n += 2) await storage.remove(numberedKey(n));
      const again = await reopened(context);
      try {
        const found = await again.scan({ limit: 200 });
        assert.deepEqual(
          found.map(({ version }) => version),
          Array.from({ length: 50 }, (_, n) => 2 * n + 2),
        );
        equalEntry(found[0], entry(clock, 2));
        assert.equal(
          (await again.storeIf({ key: numberedKey(1), expected: 2, entry: entry(clock, 3) })).kind,
          'stored',
        );
        assert.equal((await again.size()).entries, 50);
      } finally {
        await again.close();
      }
    },
  },
  {
    name: 'writes that close() had to finish are there after the restart',
    needs: ['persistence'],
    async run(context) {
      const { storage, clock } = context;
      const writes = Array.from({ length: 50 }, (_, n) => storage.store(numberedKey(n), entry(clock)));
      const again = await reopened(context);
      await Promise.all(writes);
      try {
        assert.equal((await again.scan({ limit: 100 })).length, 50);
      } finally {
        await again.close();
      }
    },
  },
  {
    name: 'what expired while the storage was closed is not seen after the restart',
    needs: ['persistence'],
    async run(context) {
      const { storage, clock } = context;
      await storage.store(key(1), entry(clock));
      await storage.store(key(2), { ...entry(clock), expiresAt: clock.now() + 2 * LIFE_MS });
      await storage.close();
      clock.advance(LIFE_MS);
      const again = await reopened(context);
      try {
        assert.deepEqual([await again.contains(key(1)), await again.contains(key(2))], [false, true]);
      } finally {
        await again.close();
      }
    },
  },
  {
    name: 'a full storage refuses newcomers and nothing else, and takes them again when there is room',
    needs: ['bounds'],
    async run({ clock, subject }) {
      const { storage, dispose } = await subject.openBounded!(clock, 10);
      try {
        for (let n = 0; n < 10; n++) assert.equal(await storage.store(numberedKey(n), entry(clock, 1)), 'stored');
        const newcomer = { key: numberedKey(10), expected: 'absent', entry: entry(clock) } as const;
        assert.deepEqual(await storage.storeIf(newcomer), { kind: 'full' });
        assert.equal(await storage.store(newcomer.key, newcomer.entry), 'full');
        assert.equal(await storage.contains(newcomer.key), false);
        assert.equal(
          (await storage.storeIf({ key: numberedKey(3), expected: 1, entry: entry(clock, 2) })).kind,
          'stored',
        );
        assert.equal((await storage.scan({ limit: 100 })).length, 10);
        await storage.remove(numberedKey(0));
        assert.equal((await storage.storeIf(newcomer)).kind, 'stored');
      } finally {
        await storage.close();
        await dispose?.();
      }
    },
  },
  {
    name: 'expired entries make room in a full storage',
    needs: ['bounds'],
    async run({ clock, subject }) {
      const { storage, dispose } = await subject.openBounded!(clock, 2);
      try {
        for (const n of [1, 2]) await storage.store(numberedKey(n), entry(clock));
        assert.equal(await storage.store(numberedKey(3), entry(clock)), 'full');
        clock.advance(LIFE_MS);
        assert.equal(await storage.store(numberedKey(3), entry(clock)), 'stored');
      } finally {
        await storage.close();
        await dispose?.();
      }
    },
  },
];
