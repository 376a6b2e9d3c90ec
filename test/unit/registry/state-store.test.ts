import { expect, test } from 'vitest';
import { createStateStore, MemoryStorage } from '../../../src/registry/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('what is set is got, overwritten and deleted', async () => {
  const state = createStateStore(new MemoryStorage({ clock: new ManualClock() }));
  expect(await state.get('seq/käse')).toBeUndefined();
  await state.set('seq/käse', Uint8Array.of(1));
  await state.set('seq/käse', Uint8Array.of(2));
  expect(await state.get('seq/käse')).toEqual(Uint8Array.of(2));
  await state.delete('seq/käse');
  await state.delete('seq/käse');
  expect(await state.get('seq/käse')).toBeUndefined();
});

test('entries come by prefix, in key order, over any number of batches', async () => {
  const state = createStateStore(new MemoryStorage({ clock: new ManualClock() }));
  const names = Array.from({ length: 600 }, (_, i) => `own/${String((i * 7) % 600).padStart(3, '0')}`);
  for (const name of names) await state.set(name, Uint8Array.of(1));
  await state.set('other', Uint8Array.of(1));
  const seen: string[] = [];
  for await (const { key } of state.entries('own/')) seen.push(key);
  expect(seen).toEqual(names.toSorted());
});

test('state outlives any clock', async () => {
  const clock = new ManualClock();
  const state = createStateStore(new MemoryStorage({ clock }));
  await state.set('key', Uint8Array.of(1));
  clock.setWall(8_000_000_000_000_000);
  expect(await state.get('key')).toEqual(Uint8Array.of(1));
});

test('a state storage that is full says so instead of forgetting', async () => {
  const state = createStateStore(new MemoryStorage({ clock: new ManualClock(), maxEntries: 1 }));
  await state.set('a', Uint8Array.of(1));
  await expect(state.set('b', Uint8Array.of(1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
});
