import { beforeEach, describe, expect, test } from 'vitest';
import { NautilusError, type NodeEvent } from '../../../src/core/index.ts';
import {
  DEFAULT_NETWORK_CONSTANTS,
  type HeldRecord,
  hashValue,
  parseKey,
  toHex,
  utf8Encode,
} from '../../../src/records/index.ts';
import {
  MemoryStorage,
  openRegistry,
  type Registry,
  type RegistryLimits,
  type RegistryStorage,
} from '../../../src/registry/index.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { headerOnly, type UnsignedRecordInit, unsignedRecord } from '../../support/unsigned-record.ts';
import { overriding } from './overriding.ts';

const TEN_MINUTES = 10 * 60_000;
const constants = { ...DEFAULT_NETWORK_CONSTANTS, maxPublishersPerKey: 3, maxTtlMs: 3_600_000 };

let clock: ManualClock;
let storage: RegistryStorage;
let events: NodeEvent[];
let registry: Registry;

async function open(limits: Partial<RegistryLimits> = {}, over: RegistryStorage = new MemoryStorage({ clock })) {
  storage = over;
  events = [];
  registry = await openRegistry({ storage, clock, constants, limits, observer: { notify: (e) => events.push(e) } });
  return registry;
}

/** A record put now that lives for `ttlMs`. */
function put(key: string, init: Partial<UnsignedRecordInit> & { ttlMs?: number } = {}) {
  const { ttlMs = 60_000, ...rest } = init;
  return unsignedRecord(key, { seq: clock.now() * 1000, expiresAt: clock.now() + ttlMs, ...rest });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const read = (key: string) => registry.read(parseKey(key).id);
const stored = (record: HeldRecord, newestSeq = record.header.seq) => ({
  kind: 'stored',
  until: record.header.expiresAt,
  newestSeq,
});
const refused = (reason: string, newestSeq: number) => ({ kind: 'refused', reason, newestSeq });

beforeEach(async () => {
  clock = new ManualClock();
  await open();
});

describe('merging', () => {
  test('a stored record is read back with its value, counted and scanned', async () => {
    const record = put('svc/web', { value: 'ten bytes!' });
    expect(await registry.merge(record)).toEqual(stored(record));
    expect(await read('svc/web')).toEqual([record]);
    expect(registry.size()).toEqual({ records: 1, bytes: 'svc/web'.length + 10 });
    expect(await collect(registry.scan({ prefix: 'svc/' }))).toEqual([record]);
    expect(await collect(registry.scan({ prefix: 'other' }))).toEqual([]);
  });

  test('an absent key reads as empty', async () => {
    expect(await read('nobody')).toEqual([]);
  });

  test('storing the same version again is answered stored and changes nothing', async () => {
    const record = put('key');
    await registry.merge(record);
    const before = await storage.scan({ limit: 10 });
    expect(await registry.merge(record)).toEqual(stored(record));
    expect(await registry.merge(headerOnly(record))).toEqual(stored(record));
    expect(await storage.scan({ limit: 10 })).toEqual(before);
  });

  test('an older version is refused as stale and told the newest seq', async () => {
    const newer = put('key', { seq: 2_000 + clock.now() * 1000 });
    const older = put('key', { seq: 1_000 + clock.now() * 1000, value: 'old' });
    await registry.merge(newer);
    expect(await registry.merge(older)).toEqual(refused('STALE', newer.header.seq));
    expect(await read('key')).toEqual([newer]);
  });

  test('a renewal by header alone keeps the value; a header alone for an unknown value asks for it', async () => {
    const record = put('key');
    const renewal = unsignedRecord('key', { seq: record.header.seq, expiresAt: record.header.expiresAt + 5_000 });
    expect(await registry.merge(headerOnly(record))).toEqual(refused('VALUE_NEEDED', 0));
    await registry.merge(record);
    expect(await registry.merge(headerOnly(renewal))).toEqual(stored(renewal));
    expect(await read('key')).toEqual([renewal]);
    const other = put('key', { seq: record.header.seq + 1, value: 'another' });
    expect(await registry.merge(headerOnly(other))).toEqual(refused('VALUE_NEEDED', record.header.seq));
  });

  test('publishers of an open key have a cell each, and newestSeq is over all of them', async () => {
    const first = put('key', { publisher: 1, seq: 5 + clock.now() * 1000 });
    const second = put('key', { publisher: 2, seq: 3 + clock.now() * 1000 });
    await registry.merge(first);
    expect(await registry.merge(second)).toEqual(stored(second, first.header.seq));
    expect(await read('key')).toEqual([first, second]);
    expect(registry.size().records).toBe(2);
  });

  test('an immutable key has one cell whoever publishes, keeping the latest expiry', async () => {
    const key = `sha256:${toHex(hashValue(utf8Encode('value')))}`;
    const short = put(key, { publisher: 1, seq: 0, ttlMs: 10_000 });
    const long = put(key, { publisher: 2, seq: 0, ttlMs: 20_000 });
    await registry.merge(long);
    // It is kept for longer than was asked: the receipt says until when.
    expect(await registry.merge(short)).toEqual(stored(long));
    expect(await read(key)).toEqual([long]);
    await clock.advance(20_000);
    expect(events).toEqual([{ type: 'record-expired', key, deleted: false }]);
    await clock.advance(60_000);
    expect(await storage.size()).toMatchObject({ entries: 0 });
  });

  test('a tombstone takes the value away and stays, so that the deleted version cannot come back', async () => {
    const record = put('key');
    const tombstone = put('key', { seq: record.header.seq + 1, deleted: true });
    await registry.merge(record);
    expect(await registry.merge(tombstone)).toEqual(stored(tombstone));
    expect(await read('key')).toEqual([headerOnly(tombstone)]);
    expect(registry.size()).toEqual({ records: 0, bytes: 0 });
    expect(await registry.merge(record)).toEqual(refused('STALE', tombstone.header.seq));
    expect(await collect(registry.scan())).toEqual([]);
  });

  test('a hundred concurrent merges of one cell end with the newest and count one record', async () => {
    const versions = Array.from({ length: 100 }, (_, i) => put('key', { seq: clock.now() * 1000 + ((i * 37) % 100) }));
    const outcomes = await Promise.all(versions.map((version) => registry.merge(version)));
    const newest = versions.find(({ header }) => header.seq === clock.now() * 1000 + 99)!;
    expect(outcomes[versions.indexOf(newest)]).toEqual(stored(newest));
    expect(await read('key')).toEqual([newest]);
    expect(registry.size().records).toBe(1);
  });

  test('a storage that another writer keeps changing costs a bounded number of attempts', async () => {
    const memory = new MemoryStorage({ clock });
    let attempts = 0;
    await open(
      {},
      overriding(memory, { storeIf: async () => ({ kind: 'mismatch', current: undefined, n: attempts++ }) }),
    );
    await expect(registry.merge(put('key'))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(attempts).toBe(8);
  });

  test('another writer that was faster once is merged with', async () => {
    const memory = new MemoryStorage({ clock });
    const rival = await openRegistry({ storage: memory, clock, constants });
    const newer = put('key', { seq: clock.now() * 1000 + 5 });
    let isFirst = true;
    const storeIf: RegistryStorage['storeIf'] = async (operation) => {
      if (isFirst) await rival.merge(newer);
      isFirst = false;
      return memory.storeIf(operation);
    };
    await open({}, overriding(memory, { storeIf }));
    expect(await registry.merge(put('key'))).toEqual(refused('STALE', newer.header.seq));
    expect(await read('key')).toEqual([newer]);
  });
});

describe('limits', () => {
  test('a key takes as many live publishers as the network allows, exactly, even concurrently', async () => {
    const records = Array.from({ length: 10 }, (_, i) => put('key', { publisher: i + 1 }));
    const outcomes = await Promise.all(records.map((record) => registry.merge(record)));
    expect(outcomes.filter(({ kind }) => kind === 'stored')).toHaveLength(3);
    expect(outcomes[9]).toEqual(refused('KEY_FULL', clock.now() * 1000));
    expect(registry.size().records).toBe(3);
  });

  test('a full key still takes newer versions and tombstones of its publishers, whose place is then free', async () => {
    for (const publisher of [1, 2, 3]) await registry.merge(put('key', { publisher }));
    const seq = clock.now() * 1000 + 1;
    expect(await registry.merge(put('key', { publisher: 2, seq, value: 'new' }))).toMatchObject({ kind: 'stored' });
    expect(await registry.merge(put('key', { publisher: 3, seq, deleted: true }))).toMatchObject({ kind: 'stored' });
    expect(await registry.merge(put('key', { publisher: 4 }))).toMatchObject({ kind: 'stored' });
    expect(await registry.merge(put('key', { publisher: 3, seq: seq + 1 }))).toEqual(refused('KEY_FULL', seq));
  });

  test('an expired publisher frees its place at its deadline', async () => {
    for (const publisher of [1, 2]) await registry.merge(put('key', { publisher }));
    await registry.merge(put('key', { publisher: 3, ttlMs: 1_000 }));
    expect(await registry.merge(put('key', { publisher: 4 }))).toMatchObject({ reason: 'KEY_FULL' });
    await clock.advance(1_000);
    expect(await registry.merge(put('key', { publisher: 4 }))).toMatchObject({ kind: 'stored' });
  });

  test('dead publishers of one key are bounded too', async () => {
    const outcomes: string[] = [];
    for (let publisher = 1; publisher <= 14; publisher++) {
      const outcome = await registry.merge(put('key', { publisher, deleted: true }));
      outcomes.push(outcome.kind === 'stored' ? 'stored' : outcome.reason);
    }
    expect(outcomes).toEqual([...Array(9).fill('stored'), ...Array(5).fill('KEY_FULL')]);
  });

  test('a full store refuses new records, exactly at its limit, and takes newer versions', async () => {
    await open({ maxRecords: 4 });
    const outcomes = await Promise.all(Array.from({ length: 9 }, (_, i) => registry.merge(put(`key/${i}`))));
    expect(outcomes.filter(({ kind }) => kind === 'stored')).toHaveLength(4);
    expect(outcomes[8]).toEqual(refused('STORE_FULL', 0));
    const newer = put('key/0', { seq: clock.now() * 1000 + 1, value: 'x'.repeat(5_000) });
    expect(await registry.merge(newer)).toEqual(stored(newer));
  });

  test('a full store takes tombstones into its reserve and no further', async () => {
    await open({ maxRecords: 4 });
    for (let i = 0; i < 4; i++) await registry.merge(put(`key/${i}`));
    expect(await registry.merge(put('gone/1', { deleted: true }))).toMatchObject({ kind: 'stored' });
    expect(await registry.merge(put('gone/2', { deleted: true }))).toMatchObject({ reason: 'STORE_FULL' });
  });

  test('bytes count as well as records', async () => {
    await open({ maxBytes: 1_000 });
    expect(await registry.merge(put('small'))).toMatchObject({ kind: 'stored' });
    expect(await registry.merge(put('large', { value: 'x'.repeat(1_000) }))).toEqual(refused('STORE_FULL', 0));
    expect(await registry.merge(put('other'))).toMatchObject({ kind: 'stored' });
  });

  test('a storage that is full itself refuses in the same words', async () => {
    await open({}, new MemoryStorage({ clock, maxEntries: 1 }));
    await registry.merge(put('key/0'));
    expect(await registry.merge(put('key/1'))).toEqual(refused('STORE_FULL', 0));
    expect(registry.size().records).toBe(1);
  });

  test('merges beyond the queue are turned away at once, and the place is free again afterwards', async () => {
    await open({ maxPendingMerges: 2 });
    const waiting = [registry.merge(put('a')), registry.merge(put('b'))];
    await expect(registry.merge(put('c'))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await Promise.all(waiting);
    expect(await registry.merge(put('c'))).toMatchObject({ kind: 'stored' });
  });
});

describe('expiry', () => {
  test('at its deadline a record is announced once, loses its value and leaves the counters', async () => {
    const record = put('key', { ttlMs: 5_000 });
    await registry.merge(record);
    await clock.advance(4_999);
    expect(events).toEqual([]);
    expect(registry.size().records).toBe(1);
    await clock.advance(1);
    expect(events).toEqual([{ type: 'record-expired', key: 'key', deleted: false }]);
    expect(registry.size()).toEqual({ records: 0, bytes: 0 });
    expect(await read('key')).toEqual([headerOnly(record)]);
    await clock.advance(1_800_000);
    expect(events).toHaveLength(1);
  });

  test('the floor keeps the expired and older versions out until no older one can be alive, then it goes', async () => {
    const older = put('key', { seq: clock.now() * 1000 - 1, ttlMs: 3_000_000 });
    await registry.merge(put('key', { ttlMs: 1_000 }));
    await clock.advance(1_000);
    expect(await registry.merge(older)).toMatchObject({ reason: 'STALE' });
    await clock.advance(constants.maxTtlMs + TEN_MINUTES - 1_001);
    expect(await read('key')).toHaveLength(1);
    await clock.advance(1);
    expect(await read('key')).toEqual([]);
    expect(await storage.size()).toEqual({ entries: 0, bytes: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test('a renewal moves the deadline', async () => {
    const record = put('key', { ttlMs: 1_000 });
    await registry.merge(record);
    await registry.merge(headerOnly(put('key', { seq: record.header.seq, ttlMs: 3_000 })));
    await clock.advance(2_999);
    expect(events).toEqual([]);
    expect(registry.size().records).toBe(1);
    await clock.advance(1);
    expect(events).toHaveLength(1);
  });

  test('a newer version with a shorter life expires at its own deadline', async () => {
    await registry.merge(put('key', { ttlMs: 60_000 }));
    await registry.merge(put('key', { ttlMs: 1_000, seq: clock.now() * 1000 + 1 }));
    await clock.advance(1_000);
    expect(events).toHaveLength(1);
  });

  test('a tombstone is announced when its own life ends, and stays as floor', async () => {
    await registry.merge(put('key', { ttlMs: 1_000, deleted: true }));
    await clock.advance(1_000);
    expect(events).toEqual([{ type: 'record-expired', key: 'key', deleted: true }]);
    expect(await read('key')).toHaveLength(1);
    await clock.advance(constants.maxTtlMs + TEN_MINUTES);
    expect(events).toHaveLength(1);
    expect(await storage.size()).toMatchObject({ entries: 0 });
  });

  test('an expired header is taken as a floor, over a held version and as a newcomer', async () => {
    const record = put('held');
    await registry.merge(record);
    const floor = headerOnly(put('held', { seq: record.header.seq + 1, ttlMs: 0 }));
    const newcomer = headerOnly(put('new', { ttlMs: -1_000 }));
    expect(await registry.merge(floor)).toMatchObject({ kind: 'stored' });
    expect(await registry.merge(newcomer)).toMatchObject({ kind: 'stored' });
    expect(await read('held')).toEqual([floor]);
    expect(await read('new')).toEqual([newcomer]);
    expect(registry.size().records).toBe(0);
    expect(await registry.merge(put('new', { seq: newcomer.header.seq - 1 }))).toMatchObject({ reason: 'STALE' });
  });

  test('a header so old that nothing older can be alive is not kept', async () => {
    const ancient = unsignedRecord('key', { seq: 1, expiresAt: 1 });
    expect(await registry.merge(ancient)).toEqual(refused('EXPIRED', 0));
    expect(await storage.size()).toMatchObject({ entries: 0 });
  });

  test('a record past its deadline is not returned even when its expiry has not been processed', async () => {
    const record = put('key', { ttlMs: 1_000 });
    await registry.merge(record);
    clock.setWall(clock.now() + 1_000);
    expect(await read('key')).toEqual([headerOnly(record)]);
    expect(await collect(registry.scan())).toEqual([]);
  });

  test('a clock set back resurrects nothing and expires nothing early', async () => {
    const short = put('short', { ttlMs: 1_000 });
    const long = put('long', { ttlMs: 60_000 });
    await registry.merge(short);
    await registry.merge(long);
    clock.setWall(clock.now() + 2_000);
    expect(await read('short')).toEqual([headerOnly(short)]);
    clock.setWall(clock.now() - 3_600_000);
    expect(await read('short')).toEqual([headerOnly(short)]);
    await clock.advance(3_600_000 + 57_999);
    expect(await read('long')).toEqual([long]);
    await clock.advance(1);
    expect(await read('long')).toEqual([headerOnly(long)]);
    expect(events.map((event) => event.type === 'record-expired' && event.key)).toEqual(['short', 'long']);
  });

  test('any number of pending deadlines arm one timer', async () => {
    const record = put('key');
    for (let i = 0; i < 1_000; i++) await registry.merge(put(`key/${i}`, { ttlMs: 1_000 + i * 50 }));
    await registry.merge(record);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_000 + 500 * 50);
    expect(events).toHaveLength(501);
  });

  test('a burst of deadlines leaves in batches, each in a turn of its own', async () => {
    for (let i = 0; i < 120; i++) await registry.merge(put(`key/${i}`, { ttlMs: 1_000 }));
    let turns = 0;
    const timers = clock.setTimer.bind(clock);
    clock.setTimer = (delayMs, callback) => {
      turns++;
      return timers(delayMs, callback);
    };
    await clock.advance(1_000);
    expect(events).toHaveLength(120);
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  test('a failing storage delays the floor, not the announcement, and is tried again', async () => {
    const memory = new MemoryStorage({ clock });
    let isBroken = false;
    const storeIf: RegistryStorage['storeIf'] = async (operation) => {
      if (isBroken) throw new Error('no disk');
      return memory.storeIf(operation);
    };
    await open({}, overriding(memory, { storeIf }));
    await registry.merge(put('key', { ttlMs: 1_000 }));
    isBroken = true;
    await clock.advance(1_000);
    expect(events.map(({ type }) => type)).toEqual(['record-expired', 'warning']);
    isBroken = false;
    await clock.advance(5_000);
    expect(registry.size().records).toBe(0);
    expect(events.map(({ type }) => type)).toEqual(['record-expired', 'warning']);
  });
});

describe('failure and restart', () => {
  test('a failing storage rejects, is never mistaken for absence, and a write that happened anyway is counted', async () => {
    const memory = new MemoryStorage({ clock });
    const storeIf: RegistryStorage['storeIf'] = async (operation) => {
      await memory.storeIf(operation);
      throw new Error('the answer was lost');
    };
    await open({}, overriding(memory, { storeIf }));
    const record = put('key');
    await expect(registry.merge(record)).rejects.toThrow('the answer was lost');
    expect(await read('key')).toEqual([record]);
    await clock.advance(5_000);
    expect(registry.size().records).toBe(1);
    const broken = overriding(memory, { scan: () => Promise.reject(new Error('broken')) });
    await expect(open({}, broken)).rejects.toThrow('broken');
  });

  test('opening rebuilds counters and deadlines from what the storage holds', async () => {
    const live = put('live', { ttlMs: 10_000 });
    await registry.merge(live);
    await registry.merge(put('dead', { ttlMs: 1_000 }));
    await registry.merge(put('deleted', { deleted: true }));
    const size = registry.size();
    await clock.advance(500);
    await registry.close();
    await clock.advance(1_000);

    await open({}, storage);
    expect(size.records).toBe(2);
    await settle();
    await clock.advance(0);
    expect(events).toEqual([{ type: 'record-expired', key: 'dead', deleted: false }]);
    expect(registry.size()).toEqual({ records: 1, bytes: 'live'.length + 'value'.length });
    await clock.advance(8_500);
    expect(registry.size().records).toBe(0);
  });

  describe('on a storage that outlives its process', () => {
    const HOUR = 3_600_000;
    const persistent = () => {
      const memory = new MemoryStorage({ clock });
      return overriding(memory, { capabilities: { ...memory.capabilities, persistent: true } });
    };

    test('a clock set back an hour across a restart resurrects nothing, says so, and time goes on when it has caught up', async () => {
      await open({}, persistent());
      const record = put('key', { ttlMs: 1_000 });
      await registry.merge(record);
      // Past its deadline, and stopped before anything noticed.
      clock.setWall(clock.now() + 2_000);
      await registry.close();
      clock.setWall(clock.now() - HOUR);
      await open({}, storage);
      expect(await read('key')).toEqual([headerOnly(record)]);
      expect(registry.size().records).toBe(1);
      await clock.advance(0);
      expect(events).toMatchObject([
        { type: 'warning', code: 'CLOCK_BEHIND' },
        { type: 'record-expired', key: 'key' },
      ]);
      expect(registry.size().records).toBe(0);
    });

    test('a mark further ahead than any record can live was made by a wrong clock and is not believed', async () => {
      await open({}, persistent());
      const now = clock.now();
      clock.setWall(now + 1_000 * HOUR);
      await registry.close();
      clock.setWall(now);
      await open({}, storage);
      const record = put('key');
      await registry.merge(record);
      expect(await read('key')).toEqual([record]);
      expect(events).toEqual([]);
    });

    test('a full disk at the end costs a warning, not the stop', async () => {
      const full = () => Promise.reject(new NautilusError('DISK_FULL', 'no space left'));
      await open({}, overriding(persistent(), { store: full }));
      await clock.advance(1);
      await registry.close();
      expect(events).toMatchObject([
        { type: 'warning', code: 'DISK_FULL' },
        { type: 'warning', code: 'DISK_FULL' },
      ]);
    });
  });

  test('an entry that is no record is reported as damage, with what to do', async () => {
    await storage.store(new Uint8Array(64), { value: new Uint8Array(3), version: 1, expiresAt: clock.now() + 1_000 });
    await expect(open({}, storage)).rejects.toMatchObject({ code: 'STORAGE_DAMAGED' });
  });

  test('closing finishes merges at work, refuses new ones and stops the timer', async () => {
    const working = registry.merge(put('key'));
    await registry.close();
    await registry.close();
    expect(await working).toMatchObject({ kind: 'stored' });
    await expect(registry.merge(put('key'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('an aborted signal is obeyed before anything is written', async () => {
    const abort = new AbortController();
    const first = registry.merge(put('key'));
    const second = registry.merge(put('key', { seq: clock.now() * 1000 + 1 }), { signal: abort.signal });
    abort.abort(new Error('gave up'));
    await expect(second).rejects.toThrow('gave up');
    await first;
    expect(await read('key')).toMatchObject([{ header: { seq: clock.now() * 1000 } }]);
    await expect(registry.merge(put('key'), { signal: abort.signal })).rejects.toThrow('gave up');
  });
});
