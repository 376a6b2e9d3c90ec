/** A PostgreSQL server that is killed, stopped, full, busy or short of connections while a storage works on it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { isNautilusError } from '../../src/core/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { openPostgresStorage, type RegistryStorage, type StorageEntry } from '../../src/registry/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

const missing = missingPostgres();
const FOREVER = Number.MAX_SAFE_INTEGER;
let server: PostgresServer;
let count = 0;

beforeAll(async () => {
  if (missing === undefined) server = await startPostgresServer();
}, 60_000);
afterAll(() => server?.dispose());

interface OpenOptions {
  readonly account?: string;
  readonly clock?: ManualClock;
  readonly timeoutMs?: number;
}

/** On a schema of its own, closed when the test is over. */
async function open({ account, clock, timeoutMs = 10_000 }: OpenOptions = {}) {
  const schema = `failure_${count++}`;
  const url = server.url(account);
  const storage = await openPostgresStorage({ url, schema, poolSize: 4, timeoutMs, clock: clock ?? systemClock });
  onTestFinished(() => storage.close());
  return { storage, url, schema, table: `${schema}.entries` };
}

function key(n: number): Uint8Array {
  return Uint8Array.of(n >> 8, n & 0xff);
}

function entry(version: number, value = Uint8Array.of(1, 2, 3)): StorageEntry {
  return { value, version, expiresAt: FOREVER };
}

/** Every kind of call, and what becomes of each. */
async function callAll(storage: RegistryStorage): Promise<readonly string[]> {
  const operation = { key: key(900), expected: 'absent', entry: entry(1) } as const;
  const calls = [
    storage.retrieve(key(1)),
    storage.retrieveBatch([key(1), key(2)]),
    storage.contains(key(1)),
    storage.scan({ limit: 10 }),
    storage.size(),
    storage.store(key(901), entry(1)),
    storage.storeIf(operation),
    storage.storeIfBatch([operation]),
    storage.remove(key(902)),
  ];
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === 'fulfilled') return 'done';
    return isNautilusError(result.reason) ? result.reason.code : String(result.reason);
  });
}

/** Stops processes in their tracks; they go on when the test is over, at the latest. */
function freeze(pids: readonly number[]): () => void {
  let isFrozen = true;
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const thaw = () => {
    if (isFrozen) for (const pid of pids) process.kill(pid, 'SIGCONT');
    isFrozen = false;
  };
  onTestFinished(thaw);
  return thaw;
}

async function works(storage: RegistryStorage): Promise<void> {
  await until('the storage works again', async () => {
    const kinds = await callAll(storage);
    return kinds.every((kind) => kind === 'done') || undefined;
  });
}

describe.skipIf(missing !== undefined)(missing ?? 'a PostgreSQL server in trouble', () => {
  test('killed and started again under load: no acknowledged write is lost, calls fail as STORAGE_FAILED, later ones work', async () => {
    const { storage } = await open();
    const acknowledged = new Map<number, number>();
    const failures: unknown[] = [];
    let isOver = false;
    const write = async (n: number) => {
      for (let version = 1; !isOver; version++) {
        try {
          await storage.store(key(n), entry(version));
          acknowledged.set(n, version);
        } catch (error) {
          failures.push(error);
          // As somebody would who has more to do: a refused connection takes no time.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    };
    const writers = Array.from({ length: 8 }, (_, n) => write(n));
    await until('writes are acknowledged', () => acknowledged.size === 8 || undefined);
    await server.kill();
    await until('writes fail', () => failures.length > 0 || undefined);
    expect(new Set(await callAll(storage))).toEqual(new Set(['STORAGE_FAILED']));
    await server.start();
    const before = new Map(acknowledged);
    await until('writes go on', () => [...acknowledged].every(([n, version]) => version > before.get(n)!) || undefined);
    isOver = true;
    await Promise.all(writers);
    for (const error of failures) expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
    for (const [n, version] of acknowledged)
      expect((await storage.retrieve(key(n)))!.version).toBeGreaterThanOrEqual(version);
    await works(storage);
  });

  test('connections that are cut while idle harm nobody', async () => {
    const { storage } = await open();
    expect(new Set(await callAll(storage))).toEqual(new Set(['done']));
    const before = await server.backends();
    await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY ($1)', [before]);
    await works(storage);
    expect(await server.backends()).not.toEqual(before);
  });

  test('a server that answers nobody: every call ends within its deadline, and works once it goes on', async () => {
    const { storage } = await open({ timeoutMs: 1_000 });
    await works(storage);
    const thaw = freeze(server.family());
    expect(new Set(await callAll(storage))).toEqual(new Set(['STORAGE_FAILED']));
    const error = await storage.retrieve(key(1)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining('no answer within 1000 ms') });
    thaw();
    await works(storage);
  });

  test('closing beside a server that answers nobody ends', async () => {
    const { storage } = await open({ timeoutMs: 1_000 });
    await works(storage);
    freeze(server.family());
    const [write] = await Promise.allSettled([storage.store(key(1), entry(1)), storage.close()]);
    expect(write).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FAILED' } });
  });

  test('a write that was given up never overwrites what was stored after it', async () => {
    const { storage } = await open({ timeoutMs: 1_000 });
    await storage.store(key(1), entry(1));
    const [writer] = await server.backends('%INSERT INTO%');
    const thaw = freeze([writer!]);
    await expect(storage.store(key(1), entry(2))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    // While that one may still come true nothing else is written; reading goes on.
    await expect(storage.store(key(1), entry(3))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('has not finished an earlier write'),
    });
    expect((await storage.retrieve(key(1)))?.version).toBe(1);
    thaw();
    await until('writing works again', () => storage.store(key(1), entry(4)).catch(() => undefined));
    expect((await storage.retrieve(key(1)))?.version).toBe(4);
    expect(await server.backends()).not.toContain(writer);
    expect((await storage.retrieve(key(1)))?.version).toBe(4);
  });

  test('a node whose schema went to another while it was cut off writes no more, and says so', async () => {
    const { storage, url, schema } = await open({ timeoutMs: 10_000 });
    await storage.store(key(1), entry(1));
    const [writer] = await server.backends('%INSERT INTO%');
    const opening = openPostgresStorage({ url, schema, poolSize: 3, timeoutMs: 10_000, clock: systemClock });
    await until('the other node waits for the lock', async () => {
      const rows = await server.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
      return rows.length > 0 || undefined;
    });
    await server.query('SELECT pg_terminate_backend($1)', [writer]);
    const other = await opening;
    // The first to fail may be told of the connection only.
    await until('the storage knows that it has lost its schema', async () => {
      const failure: unknown = await storage.store(key(1), entry(2)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'STORAGE_FAILED' });
      return String(failure).includes(`another node uses the schema ${schema}`) || undefined;
    });
    expect((await other.retrieve(key(1)))?.version).toBe(1);
    await other.close();
    expect(await storage.store(key(1), entry(3))).toBe('stored');
  });

  test('a caller who stops waiting leaves the others their answers', async () => {
    const { storage } = await open();
    const thaw = freeze(await server.backends());
    const abort = new AbortController();
    const abandoned = [
      storage.store(key(1), entry(1), { signal: abort.signal }),
      storage.retrieve(key(1), { signal: abort.signal }),
      storage.size({ signal: abort.signal }),
    ];
    const kept = storage.store(key(2), entry(2));
    abort.abort(new Error('enough'));
    for (const call of abandoned) await expect(call).rejects.toThrow('enough');
    thaw();
    await expect(kept).resolves.toBe('stored');
    expect((await storage.retrieve(key(2)))?.version).toBe(2);
  });

  describe('somebody else changes a row while storeIf waits for it', () => {
    async function race(change: string, outcome: 'COMMIT' | 'ROLLBACK', expected: number | 'absent', row: boolean) {
      const { storage, table } = await open();
      if (row) await storage.store(key(1), entry(5));
      const somebody = await server.connect();
      onTestFinished(() => somebody.end());
      await somebody.query('BEGIN');
      await somebody.query(change.replace('TABLE', table));
      const pending = storage.storeIf({ key: key(1), expected, entry: entry(6) });
      await until('storeIf waits', async () => {
        const rows = await server.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'nautilus' AND wait_event_type = 'Lock'`,
        );
        return rows.length > 0 || undefined;
      });
      await somebody.query(outcome);
      return pending;
    }
    const INSERT = `INSERT INTO TABLE VALUES ('\\x0001', 'other', 9, ${FOREVER})`;
    const UPDATE = 'UPDATE TABLE SET version = 9';
    const DELETE = 'DELETE FROM TABLE';

    test('a new version is a mismatch that shows the new version', async () => {
      expect(await race(UPDATE, 'COMMIT', 5, true)).toMatchObject({ kind: 'mismatch', current: { version: 9 } });
    });

    test('a new row is a mismatch for who expects absence, and shown', async () => {
      expect(await race(INSERT, 'COMMIT', 'absent', false)).toMatchObject({
        kind: 'mismatch',
        current: { version: 9 },
      });
    });

    test('a removed row is a mismatch that shows absence', async () => {
      expect(await race(DELETE, 'COMMIT', 5, true)).toEqual({ kind: 'mismatch', current: undefined });
    });

    test('what is taken back never happened', async () => {
      expect(await race(UPDATE, 'ROLLBACK', 5, true)).toEqual({ kind: 'stored' });
      expect(await race(INSERT, 'ROLLBACK', 'absent', false)).toEqual({ kind: 'stored' });
    });
  });

  test('a table that somebody locked costs a call its deadline and no connection', async () => {
    const { storage, table } = await open({ timeoutMs: 1_000 });
    await storage.store(key(1), entry(1));
    const before = await server.backends();
    const somebody = await server.connect();
    onTestFinished(() => somebody.end());
    await somebody.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    await expect(storage.store(key(1), entry(2))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('holds a lock'),
    });
    await somebody.query('ROLLBACK');
    await storage.store(key(1), entry(3));
    expect((await storage.retrieve(key(1)))?.version).toBe(3);
    expect(await server.backends()).toEqual(expect.arrayContaining([...before]));
  });

  test('too few connections: what to change is said, and calls work as soon as there are more', async () => {
    await server.query('CREATE ROLE narrow LOGIN CONNECTION LIMIT 1; GRANT CREATE ON DATABASE postgres TO narrow');
    const { storage } = await open({ account: 'narrow' });
    await storage.store(key(1), entry(1));
    await expect(storage.retrieve(key(1))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('?poolSize='),
    });
    await server.query('ALTER ROLE narrow CONNECTION LIMIT 10');
    expect((await storage.retrieve(key(1)))?.version).toBe(1);
  });

  test('tables that were dropped are a failure, never absence', async () => {
    const { storage, table } = await open();
    await storage.store(key(1), entry(1));
    await server.query(`DROP TABLE ${table}`);
    expect(new Set(await callAll(storage))).toEqual(new Set(['STORAGE_FAILED']));
  });

  test('a full disk is DISK_FULL; what was acknowledged stays readable, and with more room all is well', async (context) => {
    const disk = join(server.directory, 'tiny');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'nautilus-test', disk], { stdio: 'pipe' });
    } catch (error) {
      if (process.env.CI) throw error;
      return context.skip('no tmpfs can be mounted here: run as root');
    }
    onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
    execFileSync('chown', ['postgres:', disk]);
    await server.query(`CREATE TABLESPACE tiny LOCATION '${disk}'`);
    await server.query('CREATE ROLE small LOGIN; GRANT CREATE ON DATABASE postgres TO small');
    await server.query('GRANT CREATE ON TABLESPACE tiny TO small; ALTER ROLE small SET default_tablespace = tiny');
    const { storage } = await open({ account: 'small' });
    const value = new Uint8Array(50_000).fill(7);
    const stored: number[] = [];
    let failure: unknown;
    for (let n = 0; failure === undefined && n < 100; n++) {
      await storage.store(key(n), entry(1, value)).then(
        () => stored.push(n),
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining('free some space') });
    expect(stored.length).toBeGreaterThan(10);
    const found = await storage.retrieveBatch(stored.map(key));
    expect(found.every((each) => each?.value.length === value.length)).toBe(true);
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    await expect(storage.store(key(1), entry(2, value))).resolves.toBe('stored');
  });

  test('expired entries are swept in steps, and only they', async () => {
    const clock = new ManualClock();
    const { storage, table } = await open({ clock });
    const operation = (n: number, lifeMs: number) =>
      ({ key: key(n), expected: 'absent', entry: { ...entry(1), expiresAt: clock.now() + lifeMs } }) as const;
    await storage.storeIfBatch(Array.from({ length: 1_200 }, (_, n) => operation(n, 500)));
    await storage.storeIfBatch([operation(2_000, 60_000), operation(2_001, 501)]);
    await storage.storeIf({ key: key(2_001), expected: 1, entry: entry(2) });
    const rows = async () => Number((await server.query(`SELECT count(*) FROM ${table}`))[0]!.count);
    // An expired row that somebody holds waits for nobody and keeps nobody waiting.
    const somebody = await server.connect();
    onTestFinished(() => somebody.end());
    await somebody.query(`BEGIN; SELECT 1 FROM ${table} WHERE key = '\\x0000' FOR UPDATE`);

    await clock.advance(1_000);
    const first = await until('the first step', async () => ((await rows()) < 1_202 ? rows() : undefined));
    expect(first).toBe(702);
    await until('the rest', async () => {
      await clock.advance(100);
      return (await rows()) === 3 || undefined;
    });
    await somebody.query('ROLLBACK');
    await until('the last', async () => {
      await clock.advance(1_000);
      return (await rows()) === 2 || undefined;
    });
    expect((await storage.scan({ limit: 10 })).map(({ version }) => version)).toEqual([1, 2]);
  });
});
