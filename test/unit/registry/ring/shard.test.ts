import { expect, test } from 'vitest';
import { NautilusError, type NodeEvent } from '../../../../src/core/index.ts';
import { MemoryStorage, openRing, type RegistryStorage } from '../../../../src/registry/index.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

test('a ring that one shard keeps from opening has closed the others when it says so, those that were still opening too', async () => {
  const clock = new ManualClock();
  const events: NodeEvent[] = [];
  const slow = new MemoryStorage({ clock });
  let finish: (storage: RegistryStorage) => void = () => undefined;
  const opening = openRing({
    shards: [
      { name: 'slow', weight: 1, open: () => new Promise((resolve) => (finish = resolve)) },
      { name: 'wrong', weight: 1, open: () => Promise.reject(new NautilusError('CONFIG_INVALID', 'correct it')) },
    ],
    clock,
    random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
    observer: { notify: (event) => void events.push(event) },
  });
  let isOver = false;
  const outcome = opening.finally(() => (isOver = true)).catch((error: unknown) => error);
  await settle();
  expect(isOver).toBe(false);
  finish(slow);
  expect(await outcome).toMatchObject({ code: 'CONFIG_INVALID' });
  await expect(slow.size()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(events).toEqual([{ type: 'shard-opened', shard: 'slow' }]);
});
