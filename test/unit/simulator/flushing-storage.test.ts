import { describe, expect, it } from 'vitest';
import { parseKey, utf8Encode } from '../../../src/records/index.ts';
import { MemoryStorage, type StorageEntry } from '../../../src/registry/index.ts';
import { FlushingStorage, type FlushTime } from '../../../testnet/simulator/flushing-storage.ts';
import { SeededRandom, World } from '../../../testnet/simulator/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const key = (n: number) => Uint8Array.of(n);

function createDisk(flushMs: FlushTime = 10) {
  const clock = new ManualClock();
  const inner = new MemoryStorage({ clock });
  const disk = new FlushingStorage({ inner, clock, random: new SeededRandom('disk'), flushMs });
  const entry = (version: number): StorageEntry => ({
    value: Uint8Array.of(version),
    version,
    expiresAt: clock.now() + 3_600_000,
  });
  const held = async (...numbers: number[]) =>
    (await disk.retrieveBatch(numbers.map(key))).map((found) => found?.version);
  /** Begins a write and says when it resolved. */
  const track = (write: Promise<unknown>) => {
    const tracked = { doneAt: undefined as number | undefined };
    void write.then(() => {
      tracked.doneAt = clock.monotonic();
    });
    return tracked;
  };
  return { clock, disk, entry, held, track };
}

describe('FlushingStorage', () => {
  it('shows a write at once and resolves it when it is flushed', async () => {
    const { clock, disk, entry, held, track } = createDisk();
    const write = track(disk.store(key(1), entry(1)));
    expect(await held(1)).toEqual([1]);
    await clock.advance(9);
    expect(write.doneAt).toBeUndefined();
    await clock.advance(1);
    expect(write.doneAt).toBe(10);
  });

  it('flushes what came during a flush together, in the next one', async () => {
    const { clock, disk, entry, track } = createDisk();
    const first = track(disk.store(key(1), entry(1)));
    await clock.advance(4);
    const second = track(disk.store(key(2), entry(1)));
    await clock.advance(4);
    const third = track(disk.remove(key(1)));
    await clock.advance(50);
    expect([first.doneAt, second.doneAt, third.doneAt]).toEqual([10, 20, 20]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets nobody wait for a write that changed nothing', async () => {
    const { clock, disk, entry, track } = createDisk();
    const refused = track(disk.storeIf({ key: key(1), expected: 5, entry: entry(6) }));
    const absent = track(disk.remove(key(2)));
    await clock.advance(0);
    expect([refused.doneAt, absent.doneAt]).toEqual([0, 0]);
  });

  it('undoes after a crash what was not flushed: new entries, changes and removals', async () => {
    const { clock, disk, entry, held, track } = createDisk();
    const flushed = Promise.all([1, 2, 3].map((n) => disk.store(key(n), entry(1))));
    await clock.advance(20);
    await flushed;
    const lost = [
      track(disk.store(key(1), entry(2))),
      track(disk.remove(key(2))),
      track(disk.storeIf({ key: key(4), expected: 'absent', entry: entry(1) })),
    ];
    await clock.advance(5);
    lost.push(track(disk.store(key(1), entry(3))), track(disk.remove(key(4))), track(disk.store(key(5), entry(1))));
    await clock.advance(0);
    expect(await held(1, 2, 3, 4, 5)).toEqual([3, undefined, 1, undefined, 1]);
    await disk.restart();
    expect(await held(1, 2, 3, 4, 5)).toEqual([1, 1, 1, undefined, undefined]);
    await clock.advance(1000);
    expect(lost.map(({ doneAt }) => doneAt)).toEqual(Array(6).fill(undefined));
  });

  it('keeps what was flushed before the crash, also when the same key was being written again', async () => {
    const { clock, disk, entry, held, track } = createDisk();
    const first = track(disk.store(key(1), entry(1)));
    await clock.advance(5);
    track(disk.store(key(1), entry(2)));
    await clock.advance(5);
    expect(first.doneAt).toBe(10);
    await disk.restart();
    expect(await held(1)).toEqual([1]);
    const again = track(disk.store(key(1), entry(4)));
    await clock.advance(10);
    expect(again.doneAt).toBe(20);
  });

  it('takes any time of its range for a flush, the same times for a seed', async () => {
    const times = async () => {
      const { clock, disk, entry } = createDisk([2, 8]);
      const taken: number[] = [];
      for (let n = 0; n < 50; n++) {
        const start = clock.monotonic();
        void disk.store(key(n), entry(1)).then(() => taken.push(clock.monotonic() - start));
        await clock.advance(8);
      }
      return taken;
    };
    const taken = await times();
    expect(taken).toHaveLength(50);
    expect(Math.min(...taken)).toBeGreaterThanOrEqual(2);
    expect(Math.min(...taken)).toBeLessThan(3);
    expect(Math.max(...taken)).toBeGreaterThan(7);
    expect(await times()).toEqual(taken);
  });
});

describe('a world with disks that take their time', () => {
  const KEY = parseKey('svc/web');

  it('keeps on a killed node what it acknowledged, and nothing that was not flushed', async () => {
    const world = await World.create({ seed: 'disk', nodes: 3, disk: { flushMs: 200 } });
    const held = async (number: number) =>
      (await world.do(() => world.node(number).life.registry!.read(KEY.id))).length;
    const put = () =>
      world.node(0).replication.put({ key: KEY, value: utf8Encode('v'), ttlMs: 3_600_000, quorum: 'all' });
    void put().catch(() => undefined); // its holders die before they can say anything
    await world.run(300);
    expect(await held(1)).toBe(1);
    world.node(1).kill();
    world.node(2).kill();
    await world.restart(1);
    await world.restart(2);
    expect([await held(1), await held(2)]).toEqual([0, 0]);
    await world.do(put);
    world.node(1).kill();
    await world.restart(1);
    expect(await held(1)).toBe(1);
  });
});
