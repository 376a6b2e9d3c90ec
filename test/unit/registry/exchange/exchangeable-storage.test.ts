import { expect, test } from 'vitest';
import { ChangedKeys } from '../../../../src/registry/exchange/changed-keys.ts';
import { ExchangeableStorage } from '../../../../src/registry/exchange/exchangeable-storage.ts';
import {
  MemoryStorage,
  type PartChange,
  type RegistryStorage,
  type StorageParts,
} from '../../../../src/registry/index.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';
import { overriding } from '../overriding.ts';

const key = (n: number) => Uint8Array.of(n);
const text = (n: number) => String.fromCharCode(n);

function setUp(maxChangedKeys = 10) {
  const clock = new ManualClock();
  const entry = { value: key(1), version: 1, expiresAt: clock.now() + 1e6 };
  const memory = new MemoryStorage({ clock });
  // BOUNDED: by the test. Writes that wait for the test to let them through.
  const stuck: (() => void)[] = [];
  const slow = overriding(memory, {
    store: async (...write: Parameters<RegistryStorage['store']>) => {
      await new Promise<void>((resolve) => stuck.push(resolve));
      return memory.store(...write);
    },
  });
  const next = new MemoryStorage({ clock });
  const storage = new ExchangeableStorage(slow);
  const changes = new ChangedKeys(maxChangedKeys);
  return { entry, memory, stuck, next, storage, changes };
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await settle();
  return settled;
}

test('following begins when the writes before it are over, and notes those that come', async () => {
  const { entry, stuck, next, storage, changes } = setUp();
  const before = storage.store(key(1), entry);
  const following = storage.follow(changes, next.capabilities);
  const later = storage.store(key(2), entry);
  expect(await isSettled(following)).toBe(false);
  stuck.shift()!();
  expect(await isSettled(following)).toBe(true);
  await before;
  expect([changes.isPending(text(1)), changes.isPending(text(2)), changes.size]).toEqual([false, true, 0]);
  stuck.shift()!();
  await later;
  expect(changes.take(10)).toEqual([text(2)]);
});

test('a write that failed is noted too, and so are a batch, a removal and what was refused', async () => {
  const { entry, next, storage, changes, memory } = setUp();
  await storage.follow(changes, next.capabilities);
  await storage.storeIfBatch([
    { key: key(1), expected: 'absent', entry },
    { key: key(2), expected: 7, entry },
  ]);
  await storage.remove(key(3));
  await memory.close();
  await expect(storage.storeIf({ key: key(4), expected: 'absent', entry })).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
  });
  expect(changes.take(10)).toEqual([1, 2, 3, 4].map(text));
});

test('held writes wait and reads do not; afterwards they go to the new storage', async () => {
  const { entry, memory, next, storage } = setUp();
  await memory.store(key(1), entry);
  const release = storage.hold();
  const removed = storage.remove(key(1));
  expect(await isSettled(removed)).toBe(false);
  expect(await storage.contains(key(1))).toBe(true);
  const { former, isFree } = storage.exchange(next);
  release();
  await isFree;
  expect(await removed).toBe(false);
  expect(await memory.contains(key(1))).toBe(true);
  expect([former.name, storage.current]).toEqual(['memory', next]);
});

test('whoever stops waiting while writes are held writes nothing', async () => {
  const { next, storage, memory, entry } = setUp();
  await memory.store(key(1), entry);
  const release = storage.hold();
  const caller = new AbortController();
  const removed = storage.remove(key(1), { signal: caller.signal });
  caller.abort(new Error('enough'));
  await expect(removed).rejects.toThrow('enough');
  storage.exchange(next);
  release();
  await settle();
  expect(await memory.contains(key(1))).toBe(true);
});

test('writes wait while too much is to be copied again, and go on when it was taken or nobody copies any more', async () => {
  const { next, storage, changes } = setUp(2);
  await storage.follow(changes, next.capabilities);
  await storage.remove(key(1));
  await storage.remove(key(2));
  const third = storage.remove(key(3));
  expect(await isSettled(third)).toBe(false);
  changes.take(1);
  expect(await isSettled(third)).toBe(true);
  const fourth = storage.remove(key(4));
  expect(await isSettled(fourth)).toBe(false);
  storage.unfollow();
  expect(await isSettled(fourth)).toBe(true);
});

test('while a storage that keeps expired entries gets the copy, they have to be removed', async () => {
  const { next, storage, changes } = setUp();
  expect(storage.capabilities.expires).toBe(true);
  await storage.follow(changes, { ...next.capabilities, expires: false });
  expect(storage.capabilities.expires).toBe(false);
  storage.unfollow();
  expect(storage.capabilities.expires).toBe(true);
});

test('who waits for a part of the storage that was in use waits no longer once another one is, and looks everywhere', async () => {
  const { memory, next, entry } = setUp();
  const parts: StorageParts = {
    isWhole: () => false,
    belongsIn: () => false,
    away: () => ['far'],
    scanPresent: async () => [],
    mergeWith: () => undefined,
    subscribe: () => () => undefined,
  };
  const storage = new ExchangeableStorage(overriding(memory, { parts }));
  const changes: PartChange[] = [];
  storage.parts.subscribe((change) => changes.push(change));
  await next.store(key(1), entry);
  const release = storage.hold();
  storage.exchange(next);
  release();
  expect(changes).toEqual([{ kind: 'returned', part: 'far', isEmptied: false }]);
  expect(await storage.parts.scanPresent({ limit: 10 }, 'far')).toHaveLength(1);
});
