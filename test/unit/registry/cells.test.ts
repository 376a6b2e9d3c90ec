/** What repair asks of a registry: the cells of a range, forgetting a key, and being told of changes. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { NodeEvent } from '../../../src/core/index.ts';
import {
  type CellChange,
  type CellRange,
  cellId,
  cellRange,
  compareBytes,
  DEFAULT_NETWORK_CONSTANTS,
  type HeldRecord,
  parseKey,
} from '../../../src/records/index.ts';
import { MemoryStorage, openRegistry, type Registry, type RegistryStorage } from '../../../src/registry/index.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { headerOnly, type UnsignedRecordInit, unsignedRecord } from '../../support/unsigned-record.ts';
import { overriding } from './overriding.ts';

const constants = { ...DEFAULT_NETWORK_CONSTANTS, maxTtlMs: 3_600_000 };
const FLOOR_MS = constants.maxTtlMs + 10 * 60_000;

let clock: ManualClock;
let storage: RegistryStorage;
let events: NodeEvent[];
let registry: Registry;
let changes: CellChange[];

async function open(over: RegistryStorage = new MemoryStorage({ clock })) {
  storage = over;
  events = [];
  changes = [];
  registry = await openRegistry({ storage, clock, constants, observer: { notify: (event) => events.push(event) } });
  registry.subscribe((change) => changes.push(change));
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

const idOf = ({ header }: HeldRecord) => cellId(header);
const inOrder = (records: readonly HeldRecord[]) => records.toSorted((a, b) => compareBytes(idOf(a), idOf(b)));
const keyIdOf = (key: string) => parseKey(key).id;
const held = ({ header }: HeldRecord): CellChange => ({ kind: 'held', header });
const gone = (record: HeldRecord): CellChange => ({ kind: 'gone', cellId: idOf(record) });

/** A promise that waits until it is opened. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A registry whose storage removes nothing before the returned function is called. */
async function openWithGatedRemove(): Promise<() => void> {
  const memory = new MemoryStorage({ clock });
  const { opened, open: openGate } = gate();
  const remove: RegistryStorage['remove'] = async (key) => {
    await opened;
    return memory.remove(key);
  };
  await open(overriding(memory, { remove }));
  return openGate;
}

beforeEach(async () => {
  clock = new ManualClock();
  await open();
});

describe('cells', () => {
  const bitsOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');

  async function fill(count: number): Promise<HeldRecord[]> {
    const records = Array.from({ length: count }, (_, i) => put(`key/${i >> 1}`, { publisher: 1 + (i & 1) }));
    for (const record of records) await registry.merge(record);
    return inOrder(records);
  }

  test('are all of a store in the order of their ids: live with values, tombstones and floors without', async () => {
    const live = put('live');
    const gone = put('gone', { deleted: true });
    const past = put('past', { ttlMs: 1_000 });
    const unnoticed = put('unnoticed', { ttlMs: 2_000 });
    for (const record of [live, gone, past, unnoticed]) await registry.merge(record);
    await clock.advance(1_000);
    clock.setWall(clock.now() + 1_000);
    const expected = inOrder([live, headerOnly(gone), headerOnly(past), headerOnly(unnoticed)]);
    expect(await collect(registry.cells())).toEqual(expected);
  });

  test('of a range are those that begin like it, whatever its bits', async () => {
    const records = await fill(320);
    const middle = idOf(records[160]!);
    for (const bits of [0, 1, 2, 3, 5, 7, 8, 9, 11, 255, 256, 257, 263, 504, 505, 511, 512]) {
      const prefix = bitsOf(middle).slice(0, bits);
      const expected = records.filter((record) => bitsOf(idOf(record)).startsWith(prefix));
      expect(await collect(registry.cells({ range: cellRange(middle, bits) })), `${bits} bits`).toEqual(expected);
    }
  });

  test('of a range may be none: before the first, between two and behind the last', async () => {
    const [record] = (await fill(1)) as [HeldRecord];
    for (let bit = 0; bit < 512; bit += 37) {
      const other = idOf(record);
      other[bit >> 3]! ^= 0x80 >> (bit & 7);
      expect(await collect(registry.cells({ range: cellRange(other, bit + 1) }))).toEqual([]);
      expect(await collect(registry.cells({ range: cellRange(other, bit) }))).toEqual([record]);
    }
  });

  test('of a range may be the one whose id is the range and nothing but 0 behind it', async () => {
    const record = put('key', { publisher: 0b0100_0000 });
    await registry.merge(record);
    for (const bits of [506, 508, 511, 512]) {
      expect(await collect(registry.cells({ range: cellRange(idOf(record), bits) })), `${bits} bits`).toEqual([record]);
    }
  });

  test('go on behind a cell, within the range only', async () => {
    const records = await fill(320);
    const range = cellRange(idOf(records[160]!), 3);
    const inRange = records.filter((record) => bitsOf(idOf(record)).startsWith(bitsOf(range.prefix).slice(0, 3)));
    const behind = (after: Uint8Array, within?: CellRange) => collect(registry.cells({ range: within, after }));
    expect(inRange.length).toBeGreaterThan(10);
    expect(await behind(idOf(records[159]!))).toEqual(records.slice(160));
    expect(await behind(idOf(inRange[4]!), range)).toEqual(inRange.slice(5));
    expect(await behind(idOf(inRange.at(-1)!), range)).toEqual([]);
    expect(await behind(new Uint8Array(64), range)).toEqual(inRange);
    expect(await behind(new Uint8Array(64).fill(0xff), range)).toEqual([]);
  });

  test('of a part of the space are read without reading the rest', async () => {
    const memory = new MemoryStorage({ clock });
    let read = 0;
    const scan: RegistryStorage['scan'] = async (options) => {
      const batch = await memory.scan(options);
      read += batch.length;
      return batch;
    };
    await open(overriding(memory, { scan }));
    await fill(700);
    read = 0;
    const last = cellRange(new Uint8Array(32).fill(0xff), 5);
    const found = await collect(registry.cells({ range: last }));
    expect(found.length).toBeGreaterThan(0);
    expect(read).toBe(found.length);
    read = 0;
    await collect(registry.cells({ range: cellRange(new Uint8Array(32), 5) }));
    expect(read).toBeLessThanOrEqual(256);
  });

  test('are cells: what else a storage keeps is not among them', async () => {
    const record = put('key');
    await registry.merge(record);
    const entry = { value: new Uint8Array(1), version: 1, expiresAt: Number.MAX_SAFE_INTEGER };
    await storage.store(idOf(record).subarray(0, 32), entry);
    await storage.store(new Uint8Array([...idOf(record), 0]), entry);
    expect(await collect(registry.cells())).toEqual([record]);
    expect(await collect(registry.cells({ range: cellRange(record.header.key.id, 13) }))).toEqual([record]);
    expect(await registry.read(record.header.key.id)).toEqual([record]);
  });

  test('end with the signal, and with the registry', async () => {
    await fill(3);
    const abort = new AbortController();
    abort.abort(new Error('gave up'));
    await expect(collect(registry.cells({ signal: abort.signal }))).rejects.toThrow('gave up');
    await registry.close();
    await expect(collect(registry.cells())).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('dropping', () => {
  test('forgets every cell of a key and nothing else, and says how many', async () => {
    const live = put('key', { publisher: 1 });
    const deleted = put('key', { publisher: 2, deleted: true });
    const past = put('key', { publisher: 3, ttlMs: 1_000 });
    const other = put('other', { ttlMs: 50_000 });
    for (const record of [live, deleted, past, other]) await registry.merge(record);
    await clock.advance(1_000);
    changes.length = 0;
    expect(await registry.drop(keyIdOf('key'))).toBe(3);
    expect(changes).toEqual([live, deleted, past].map(gone));
    expect(await collect(registry.cells())).toEqual([other]);
    expect(registry.size()).toEqual({ records: 1, bytes: 'other'.length + 'value'.length });
    expect(await storage.size()).toMatchObject({ entries: 1 });
    await clock.advance(60_000 + 2 * FLOOR_MS);
    expect(events.map((event) => event.type === 'record-expired' && event.key)).toEqual(['key', 'other']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('of a key nobody put is nothing', async () => {
    expect(await registry.drop(keyIdOf('nobody'))).toBe(0);
    expect(changes).toEqual([]);
  });

  test('leaves no trace: an older version comes back, with its deadline', async () => {
    const older = put('key', { ttlMs: 5_000 });
    await registry.merge(put('key', { seq: older.header.seq + 1, deleted: true }));
    expect(await registry.merge(older)).toMatchObject({ reason: 'STALE' });
    await registry.drop(keyIdOf('key'));
    expect(await registry.merge(older)).toMatchObject({ kind: 'stored' });
    expect(registry.size().records).toBe(1);
    await clock.advance(5_000);
    expect(events).toMatchObject([{ type: 'record-expired', key: 'key', deleted: false }]);
  });

  test('makes room in a full store', async () => {
    registry = await openRegistry({ storage, clock, constants, limits: { maxRecords: 1 } });
    await registry.merge(put('first'));
    expect(await registry.merge(put('second'))).toMatchObject({ reason: 'STORE_FULL' });
    await registry.drop(keyIdOf('first'));
    expect(await registry.merge(put('second'))).toMatchObject({ kind: 'stored' });
  });

  test('happens in the order it was asked for among the merges of its key', async () => {
    const memory = new MemoryStorage({ clock });
    const { opened, open: openGate } = gate();
    const storeIf: RegistryStorage['storeIf'] = async (operation) => {
      await opened;
      return memory.storeIf(operation);
    };
    await open(overriding(memory, { storeIf }));
    const first = put('key', { value: 'first' });
    const second = put('key', { seq: first.header.seq - 1, value: 'second' });
    const merged = registry.merge(first);
    const dropped = registry.drop(keyIdOf('key'));
    const mergedAgain = registry.merge(second);
    openGate();
    expect(await merged).toMatchObject({ kind: 'stored' });
    expect(await dropped).toBe(1);
    expect(await mergedAgain).toMatchObject({ kind: 'stored' });
    expect(changes).toEqual([held(first), gone(first), held(second)]);
    expect(await registry.read(keyIdOf('key'))).toEqual([second]);
    expect(registry.size()).toEqual({ records: 1, bytes: 'key'.length + 'second'.length });
  });

  test('while its records expire announces nothing and counts nothing twice', async () => {
    const openGate = await openWithGatedRemove();
    const record = put('key', { ttlMs: 1_000 });
    await registry.merge(record);
    const dropped = registry.drop(keyIdOf('key'));
    await settle();
    // Due now, and waiting behind the drop; behind both, somebody else's record of the same cell.
    await clock.advance(1_000);
    const newer = put('key', { seq: record.header.seq + 1, ttlMs: 1_000 });
    const merged = registry.merge(newer);
    openGate();
    expect(await dropped).toBe(1);
    expect(await merged).toMatchObject({ kind: 'stored' });
    expect(events).toEqual([]);
    expect(registry.size().records).toBe(1);
    await clock.advance(1_000);
    expect(events).toHaveLength(1);
    expect(registry.size().records).toBe(0);
    await clock.advance(FLOOR_MS);
    expect(changes).toEqual([held(record), gone(record), held(newer), gone(newer)]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('leaves nothing to announce for a record that was past when it came to the place of the dropped one', async () => {
    const openGate = await openWithGatedRemove();
    const record = put('key', { ttlMs: 1_000 });
    await registry.merge(record);
    const dropped = registry.drop(keyIdOf('key'));
    const next = put('key', { seq: record.header.seq + 1, ttlMs: 1_500 });
    const merged = registry.merge(next);
    await clock.advance(2_000);
    openGate();
    expect(await dropped).toBe(1);
    expect(await merged).toMatchObject({ kind: 'stored' });
    await settle();
    expect(await registry.read(keyIdOf('key'))).toEqual([headerOnly(next)]);
    expect(changes).toEqual([held(record), gone(record), held(headerOnly(next))]);
    expect(events).toEqual([]);
  });

  test('that failed rejects, and what became of it is found out a little later', async () => {
    const memory = new MemoryStorage({ clock });
    const remove: RegistryStorage['remove'] = async (key) => {
      await memory.remove(key);
      throw new Error('the answer was lost');
    };
    await open(overriding(memory, { remove }));
    const record = put('key');
    await registry.merge(record);
    await expect(registry.drop(keyIdOf('key'))).rejects.toThrow('the answer was lost');
    await clock.advance(5_000);
    expect(registry.size().records).toBe(0);
    expect(changes).toEqual([held(record), gone(record)]);
  });

  test('ends with the signal before anything is removed, and closing waits for it', async () => {
    const record = put('key');
    await registry.merge(record);
    const abort = new AbortController();
    abort.abort(new Error('gave up'));
    await expect(registry.drop(keyIdOf('key'), { signal: abort.signal })).rejects.toThrow('gave up');
    expect(await registry.read(keyIdOf('key'))).toEqual([record]);
    const dropped = registry.drop(keyIdOf('key'));
    await registry.close();
    expect(await storage.size()).toMatchObject({ entries: 0 });
    expect(await dropped).toBe(1);
    await expect(registry.drop(keyIdOf('key'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('a subscriber', () => {
  test('is told of every new header before the merge resolves', async () => {
    const order: string[] = [];
    registry.subscribe(({ kind }) => order.push(kind));
    const record = put('key');
    await registry.merge(record).then(() => order.push('resolved'));
    expect(order).toEqual(['held', 'resolved']);
    const renewal = put('key', { seq: record.header.seq, ttlMs: 70_000 });
    const newer = put('key', { seq: record.header.seq + 1, value: 'newer' });
    const tombstone = put('key', { seq: record.header.seq + 2, deleted: true });
    await registry.merge(headerOnly(renewal));
    await registry.merge(newer);
    await registry.merge(tombstone);
    expect(changes).toEqual([record, renewal, newer, tombstone].map(held));
  });

  test('is told nothing when nothing changed: the same again, an older one, a refused one', async () => {
    const record = put('key');
    await registry.merge(record);
    await registry.merge(record);
    await registry.merge(headerOnly(record));
    await registry.merge(put('key', { seq: record.header.seq - 1 }));
    await registry.merge(headerOnly(put('unknown')));
    expect(changes).toEqual([held(record)]);
  });

  test('is told nothing when a value comes to a header that is held', async () => {
    const record = put('key');
    // A floor by a clock that was ahead, and then put right.
    clock.setWall(clock.now() + 60_000);
    await registry.merge(headerOnly(record));
    expect(changes).toEqual([held(record)]);
    await registry.close();
    clock.setWall(clock.now() - 60_000);
    await open(storage);
    expect(await registry.merge(record)).toMatchObject({ kind: 'stored' });
    expect(await registry.read(keyIdOf('key'))).toEqual([record]);
    expect(changes).toEqual([]);
  });

  test('is told when the floor goes, not when the record becomes one', async () => {
    const record = put('key', { ttlMs: 1_000 });
    await registry.merge(record);
    await clock.advance(1_000);
    expect(events).toHaveLength(1);
    await clock.advance(FLOOR_MS - 1_001);
    expect(changes).toEqual([held(record)]);
    await clock.advance(1);
    expect(changes).toEqual([held(record), gone(record)]);
  });

  test('is told of a floor that comes as one', async () => {
    const floor = headerOnly(put('key', { ttlMs: -1_000 }));
    await registry.merge(floor);
    expect(changes).toEqual([held(floor)]);
  });

  test('is told of a write that failed and had happened, and of none that had not', async () => {
    const memory = new MemoryStorage({ clock });
    let isWritten = true;
    const storeIf: RegistryStorage['storeIf'] = async (operation) => {
      if (isWritten) await memory.storeIf(operation);
      throw new Error('the answer was lost');
    };
    await open(overriding(memory, { storeIf }));
    const written = put('written');
    await expect(registry.merge(written)).rejects.toThrow('the answer was lost');
    isWritten = false;
    await expect(registry.merge(put('lost'))).rejects.toThrow('the answer was lost');
    expect(changes).toEqual([]);
    await clock.advance(5_000);
    expect(changes).toEqual([held(written)]);
  });

  test('hears no more once it unsubscribed; others do, as often as they subscribed', async () => {
    let heard = 0;
    const listener = () => {
      heard++;
    };
    const endFirst = registry.subscribe(listener);
    const endSecond = registry.subscribe(listener);
    await registry.merge(put('a'));
    expect(heard).toBe(2);
    endFirst();
    endFirst();
    await registry.merge(put('b'));
    expect(heard).toBe(3);
    endSecond();
    await registry.merge(put('c'));
    expect(heard).toBe(3);
    expect(changes).toHaveLength(3);
  });
});
