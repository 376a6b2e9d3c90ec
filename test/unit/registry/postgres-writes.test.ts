import { describe, expect, test } from 'vitest';
import { toByteText } from '../../../src/registry/byte-text.ts';
import type { StorageEntry, StoreIfOutcome } from '../../../src/registry/index.ts';
import { PostgresCall } from '../../../src/registry/storages/postgres-call.ts';
import type { PostgresQuery, PostgresResult } from '../../../src/registry/storages/postgres-session.ts';
import { PostgresStatements } from '../../../src/registry/storages/postgres-statements.ts';
import { type PostgresWrite, PostgresWrites } from '../../../src/registry/storages/postgres-writes.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Which statements go out, and what is answered without one; what the statements do is for the tests with a server. */
function queue() {
  const clock = new ManualClock();
  const sent: { query: PostgresQuery; answer: (rows: PostgresResult['rows']) => void; fail: (error: Error) => void }[] =
    [];
  const writes = new PostgresWrites({
    statements: new PostgresStatements('s'),
    now: () => clock.now(),
    run: (query) =>
      new Promise((resolve, reject) => {
        sent.push({ query, answer: (rows) => resolve({ rows, rowCount: rows.length }), fail: reject });
      }),
  });
  const call = <T>(signal?: AbortSignal) =>
    new PostgresCall<T>(1, { clock, timeoutMs: 1_000, signal, toError: (error) => error as Error });
  const add = <T>(write: (call: PostgresCall<T>) => PostgresWrite, signal?: AbortSignal) => {
    const pending = call<T>(signal);
    return pending.begin(() => writes.add([write(pending)])).then(([outcome]) => outcome);
  };
  const weigh = (n: number) => ({ keyText: toByteText(key(n)), bytes: 1, place: 0 });
  return {
    clock,
    sent,
    writes,
    storeIf: (n: number, expected: number | 'absent', version: number, signal?: AbortSignal) =>
      add<StoreIfOutcome>(
        (pending) => ({
          kind: 'storeIf',
          operation: { key: key(n), expected, entry: entry(version) },
          ...weigh(n),
          call: pending,
        }),
        signal,
      ),
    store: (n: number, version: number, signal?: AbortSignal) =>
      add<'stored'>(
        (pending) => ({ kind: 'store', operation: { key: key(n), entry: entry(version) }, ...weigh(n), call: pending }),
        signal,
      ),
    remove: (n: number) =>
      add<boolean>((pending) => ({ kind: 'remove', operation: { key: key(n) }, ...weigh(n), call: pending })),
    /** The next statement that goes out. */
    next: async () => {
      await expect.poll(() => sent.length).toBeGreaterThan(0);
      return sent.shift()!;
    },
  };
}

function key(n: number): Uint8Array {
  return Uint8Array.of(n);
}

function entry(version: number): StorageEntry {
  return { value: Uint8Array.of(version), version, expiresAt: Number.MAX_SAFE_INTEGER };
}

/** How many rows a statement is about: the count in the head of its first array. */
function rowsOf(query: PostgresQuery): number {
  return (query.values![0] as Buffer).readInt32BE(12);
}

describe('writes to PostgreSQL', () => {
  test('those of one turn share a statement per kind', async () => {
    const { storeIf, store, remove, next, sent } = queue();
    const outcomes = Promise.all([
      ...[1, 2, 3].map((n) => storeIf(n, 'absent', 1)),
      ...[4, 5].map((n) => store(n, 1)),
      remove(6),
      remove(7),
    ]);
    const first = await next();
    expect([first.query.name, rowsOf(first.query)]).toEqual(['store-if', 3]);
    first.answer([['2', null, null, null]]);
    const second = await next();
    expect([second.query.name, rowsOf(second.query)]).toEqual(['store', 2]);
    second.answer([]);
    const third = await next();
    expect([third.query.name, rowsOf(third.query)]).toEqual(['remove', 2]);
    third.answer([[Buffer.from([7])]]);
    // The row about place 2 contradicts what is expected (absence where there is none): asked again.
    const again = await next();
    expect([again.query.name, rowsOf(again.query)]).toEqual(['store-if', 1]);
    again.answer([]);
    expect(await outcomes).toEqual([
      { kind: 'stored' },
      { kind: 'stored' },
      { kind: 'stored' },
      'stored',
      'stored',
      false,
      true,
    ]);
    expect(sent).toEqual([]);
  });

  test('those of one key go out one after the other, in order', async () => {
    const { store, remove, storeIf, next } = queue();
    const outcomes = Promise.all([store(1, 1), remove(1), storeIf(1, 'absent', 2)]);
    for (const name of ['store', 'remove', 'store-if']) {
      const { query, answer } = await next();
      expect([query.name, rowsOf(query)]).toEqual([name, 1]);
      answer(name === 'remove' ? [[Buffer.from([1])]] : []);
    }
    expect(await outcomes).toEqual(['stored', true, { kind: 'stored' }]);
  });

  test('who fights for one key and lost is told without a statement, with bytes of its own', async () => {
    const { storeIf, next, sent, writes } = queue();
    const [winner, ...losers] = Array.from({ length: 100 }, (_, n) => storeIf(1, 'absent', n + 1));
    (await next()).answer([]);
    expect(await winner).toEqual({ kind: 'stored' });
    const outcomes = await Promise.all(losers);
    for (const outcome of outcomes) expect(outcome).toEqual({ kind: 'mismatch', current: entry(1) });
    const values = outcomes.map((outcome) => outcome?.kind === 'mismatch' && outcome.current?.value);
    expect(new Set(values).size).toBe(99);
    await writes.idle();
    expect(sent).toEqual([]);
  });

  test('a failed statement fails those in it; those behind them are tried', async () => {
    const { store, next } = queue();
    const [first, second] = [store(1, 1), store(1, 2)];
    (await next()).fail(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    (await next()).answer([]);
    expect(await second).toBe('stored');
  });

  test('who gave up while waiting is not sent', async () => {
    const { store, next, sent, writes } = queue();
    const abort = new AbortController();
    const first = store(1, 1);
    const statement = await next();
    const [given, kept] = [store(2, 1, abort.signal), store(3, 1)];
    abort.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    statement.answer([]);
    const second = await next();
    expect(rowsOf(second.query)).toBe(1);
    second.answer([]);
    expect(await Promise.all([first, kept])).toEqual(['stored', 'stored']);
    await writes.idle();
    expect(sent).toEqual([]);
  });

  test('waiting writes have a bound, and one that does not fit is refused at once', async () => {
    const { writes, store, clock, next } = queue();
    const first = store(1, 1);
    const call = new PostgresCall<'stored'>(65_536, {
      clock,
      timeoutMs: 1_000,
      signal: undefined,
      toError: (error) => error as Error,
    });
    const many = Array.from({ length: 65_536 }, (_, place): PostgresWrite => {
      const bytes = Uint8Array.of(place >> 8, place & 0xff);
      return {
        kind: 'store',
        operation: { key: bytes, entry: entry(1) },
        keyText: toByteText(bytes),
        bytes: 3,
        call,
        place,
      };
    });
    await expect(call.begin(() => writes.add(many))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    (await next()).answer([]);
    expect(await first).toBe('stored');
  });
});
