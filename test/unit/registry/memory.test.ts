import { describe, expect, test } from 'vitest';
import { MEMORY_ENTRY_OVERHEAD_BYTES, MemoryStorage, type StorageEntry } from '../../../src/registry/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const key = (n: number) => Uint8Array.of(n);
const LATER = 60_000;

function entryFor(clock: ManualClock, bytes = 10, ttlMs = LATER): StorageEntry {
  return { value: new Uint8Array(bytes), version: 1, expiresAt: clock.now() + ttlMs };
}

describe('a memory storage that refuses', () => {
  test('is full at its number of entries, for newcomers only', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock, maxEntries: 2 });
    expect(await storage.store(key(1), entryFor(clock))).toBe('stored');
    expect(await storage.store(key(2), entryFor(clock))).toBe('stored');
    expect(await storage.storeIf({ key: key(3), expected: 'absent', entry: entryFor(clock) })).toEqual({
      kind: 'full',
    });
    expect(await storage.contains(key(3))).toBe(false);
    expect(await storage.store(key(2), entryFor(clock, 20))).toBe('stored');
    expect(await storage.size()).toEqual({ entries: 2, bytes: 2 * (1 + MEMORY_ENTRY_OVERHEAD_BYTES) + 30 });
  });

  test('counts bytes when an entry grows and keeps the old one when it does not fit', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock, maxBytes: MEMORY_ENTRY_OVERHEAD_BYTES + 1 + 100 });
    expect(await storage.store(key(1), entryFor(clock, 100))).toBe('stored');
    expect(await storage.store(key(1), entryFor(clock, 101))).toBe('full');
    expect((await storage.retrieve(key(1)))?.value).toHaveLength(100);
    expect(await storage.store(key(1), entryFor(clock, 0))).toBe('stored');
    expect((await storage.size()).bytes).toBe(MEMORY_ENTRY_OVERHEAD_BYTES + 1);
  });

  test('gives the place of expired entries away before it refuses', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock, maxEntries: 2 });
    await storage.store(key(1), entryFor(clock, 10, 1000));
    await storage.store(key(2), entryFor(clock));
    expect(await storage.store(key(3), entryFor(clock))).toBe('full');
    await clock.advance(1000);
    expect(await storage.store(key(3), entryFor(clock))).toBe('stored');
    expect(await storage.size()).toMatchObject({ entries: 2 });
  });
});

describe('a memory storage that evicts', () => {
  test('drops what was used longest ago, reads and writes counting as use', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock, maxEntries: 3, whenFull: 'evict-least-recently-used' });
    for (const n of [1, 2, 3]) await storage.store(key(n), entryFor(clock));
    await storage.retrieve(key(1));
    await storage.store(key(2), entryFor(clock));
    expect(await storage.store(key(4), entryFor(clock))).toBe('stored');
    expect(await Promise.all([1, 2, 3, 4].map((n) => storage.contains(key(n))))).toEqual([true, true, false, true]);
  });

  test('makes room for large values and refuses only what could never fit, evicting nothing for it', async () => {
    const clock = new ManualClock();
    const maxBytes = 3 * (MEMORY_ENTRY_OVERHEAD_BYTES + 1 + 100);
    const storage = new MemoryStorage({ clock, maxBytes, whenFull: 'evict-least-recently-used' });
    for (const n of [1, 2, 3]) await storage.store(key(n), entryFor(clock, 100));
    expect(await storage.store(key(3), entryFor(clock, maxBytes))).toBe('full');
    expect(await storage.size()).toMatchObject({ entries: 3 });
    expect(await storage.store(key(3), entryFor(clock, 500))).toBe('stored');
    expect(await storage.size()).toMatchObject({ entries: 2 });
    expect((await storage.retrieve(key(3)))?.value).toHaveLength(500);
  });
});

test('a million bytes offered to a small storage leave it within its limit', async () => {
  const clock = new ManualClock();
  const maxBytes = 20_000;
  const storage = new MemoryStorage({ clock, maxBytes, whenFull: 'evict-least-recently-used' });
  for (let i = 0; i < 1000; i++) await storage.store(Uint8Array.of(i >> 8, i & 255), entryFor(clock, 1000));
  const { entries, bytes } = await storage.size();
  expect(bytes).toBeLessThanOrEqual(maxBytes);
  expect(entries).toBe(Math.floor(maxBytes / (1000 + 2 + MEMORY_ENTRY_OVERHEAD_BYTES)));
  expect(await storage.scan({ limit: 100 })).toHaveLength(entries);
});
