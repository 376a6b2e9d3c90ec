/** A Redis storage whose server is killed, stopped, filled or handed over under it. On real servers and processes. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { isNautilusError } from '../../src/core/index.ts';
import type { RegistryStorage } from '../../src/registry/index.ts';
import { hourEntry, numbered, openStorages } from '../support/open-storages.ts';
import { redisClients } from '../support/redis-client.ts';
import { DURABLE, redisMissing, redisServers } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const missing = redisMissing();
const start = redisServers();
const connect = redisClients();
const open = openStorages();

beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

const FAILED = { code: 'STORAGE_FAILED' };

function everyCall(storage: RegistryStorage, signal?: AbortSignal): Readonly<Record<string, () => Promise<unknown>>> {
  const key = numbered(5);
  const operation = { key, expected: 'absent', entry: hourEntry() } as const;
  const options = { signal };
  return {
    retrieve: () => storage.retrieve(key, options),
    retrieveBatch: () => storage.retrieveBatch([key, numbered(2)], options),
    storeIf: () => storage.storeIf(operation, options),
    storeIfBatch: () => storage.storeIfBatch([operation, operation], options),
    store: () => storage.store(key, hourEntry(), options),
    remove: () => storage.remove(key, options),
    contains: () => storage.contains(key, options),
    scan: () => storage.scan({ limit: 1, ...options }),
    size: () => storage.size(options),
  };
}

/** Resolves when the storage answers again. */
async function works(storage: RegistryStorage): Promise<void> {
  await until('the storage works again', async () => {
    try {
      await storage.contains(numbered(0));
      return true;
    } catch (error) {
      if (isNautilusError(error, 'STORAGE_FAILED')) return undefined;
      throw error;
    }
  });
}

test('a server killed and restarted under load: calls fail or succeed in time, nothing acknowledged is lost', async () => {
  const server = await start(DURABLE);
  const storage = await open(`${server.url}?timeoutMs=1000`);
  const acknowledged: number[] = [];
  const problems: unknown[] = [];
  let next = 0;
  let isOver = false;
  const write = async () => {
    while (!isOver) {
      const n = next++;
      try {
        const outcome = await storage.storeIf({ key: numbered(n), expected: 'absent', entry: hourEntry(n + 1) });
        if (outcome.kind === 'stored') acknowledged.push(n);
      } catch (error) {
        problems.push(error);
        // Whoever fails at once does not spin.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const writers = Array.from({ length: 20 }, write);
  for (const _ of [1, 2]) {
    const before = acknowledged.length;
    await until('writes are acknowledged', () => (acknowledged.length > before + 200 ? true : undefined));
    const failed = problems.length;
    await server.kill();
    await until('calls fail', () => (problems.length > failed ? true : undefined));
    await server.start();
    await works(storage);
  }
  isOver = true;
  await Promise.all(writers);

  for (const problem of problems) expect(problem).toMatchObject(FAILED);
  const found = await storage.retrieveBatch(acknowledged.map(numbered));
  expect(found.map((entry) => entry?.version)).toEqual(acknowledged.map((n) => n + 1));
});

test('a server that is stopped costs every call its deadline and no more; afterwards all is as before', async () => {
  const server = await start();
  const storage = await open(`${server.url}?timeoutMs=300`);
  await storage.store(numbered(1), hourEntry(7));
  server.pause();
  const calls = Object.entries(everyCall(storage));
  const outcomes = await Promise.allSettled(calls.map(([, call]) => call()));
  for (const [index, outcome] of outcomes.entries()) {
    const [method] = calls[index]!;
    expect(outcome, method).toMatchObject({ status: 'rejected', reason: FAILED });
    expect((outcome as PromiseRejectedResult).reason.message, method).toMatch(/did not answer within 0.3 s/);
  }
  const later = await Promise.allSettled(Object.values(everyCall(storage)).map((call) => call()));
  for (const outcome of later) expect(outcome).toMatchObject({ status: 'rejected', reason: FAILED });
  server.resume();
  await works(storage);
  expect((await storage.retrieve(numbered(1)))?.version).toBe(7);
});

test('an aborted call on a stopped server ends at once, and so does closing within the deadline', async () => {
  const server = await start();
  const storage = await open(`${server.url}?timeoutMs=500`);
  server.pause();
  const abort = new AbortController();
  const outcomes = Object.values(everyCall(storage, abort.signal)).map((call) => call());
  abort.abort(new Error('the caller gave up'));
  for (const outcome of await Promise.allSettled(outcomes)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'the caller gave up' } });
  }
  const write = storage.store(numbered(3), hourEntry());
  const [written] = await Promise.allSettled([write, storage.close()]);
  expect(written).toMatchObject({ status: 'rejected', reason: FAILED });
});

test('a long outage fails calls at once, with the reason', async () => {
  const server = await start();
  const storage = await open(`${server.url}?timeoutMs=60000`);
  await server.kill();
  // Far below the deadline, which the test itself would not survive.
  const message = await until('calls fail for want of a server', () =>
    storage.retrieve(numbered(1)).then(
      () => undefined,
      (error: Error) => (error.message.includes('ECONNREFUSED') ? error.message : undefined),
    ),
  );
  expect(message).toContain('cannot be reached');
  await expect(storage.store(numbered(1), hourEntry())).rejects.toMatchObject(FAILED);
});

test('what waits is bounded: the call beyond fails at once, the others are done when the server goes on', async () => {
  const server = await start();
  const storage = await open(`${server.url}?timeoutMs=5000`);
  server.pause();
  // In bytes; in operations: test/unit/registry/redis-connection.test.ts.
  const operations = Array.from({ length: 65 }, (_, n) => ({
    key: numbered(n),
    expected: 'absent' as const,
    entry: hourEntry(1, 1_048_576),
  }));
  const batch = storage.storeIfBatch(operations);
  await expect(storage.retrieve(numbered(1))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  server.resume();
  const outcomes = await batch;
  expect(outcomes.filter(({ kind }) => kind === 'stored')).toHaveLength(65);
  expect((await storage.size()).entries).toBe(65);
});

test('a server without memory left is full: writes are refused, reading and removing go on, opening too', async () => {
  const server = await start(['--maxmemory', '8mb']);
  const storage = await open(server.url);
  let count = 0;
  while ((await storage.store(numbered(count), hourEntry(1, 65_536))) === 'stored') count++;
  const newcomer = { key: numbered(count), expected: 'absent', entry: hourEntry(1, 65_536) } as const;
  expect(await storage.storeIf(newcomer)).toEqual({ kind: 'full' });
  expect(await storage.contains(newcomer.key)).toBe(false);
  expect((await storage.scan({ limit: 1_000 })).length).toBe(count);
  await storage.close();

  const again = await open(server.url);
  expect((await again.retrieve(numbered(0)))?.value.length).toBe(65_536);
  for (const n of [0, 1, 2, 3]) expect(await again.remove(numbered(n))).toBe(true);
  expect(await again.storeIf(newcomer)).toEqual({ kind: 'stored' });
});

test('a server whose disk is full keeps what it acknowledged, and calls fail until there is room', async (context) => {
  const disk = await mkdtemp(join(tmpdir(), 'nautilus-redis-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'nautilus-test', disk], { stdio: 'pipe' });
  } catch (error) {
    await rm(disk, { recursive: true });
    if (process.env.CI) throw error;
    return context.skip('no tmpfs can be mounted here: run as root');
  }
  const server = await start([...DURABLE, '--dir', disk]);
  onTestFinished(async () => {
    await server.kill();
    execFileSync('umount', ['--lazy', disk]);
    await rm(disk, { recursive: true });
  });
  const storage = await open(`${server.url}?timeoutMs=1000`);
  const acknowledged: number[] = [];
  const fill = async () => {
    for (let n = 0; n < 100; n++) {
      await storage.store(numbered(n), hourEntry(1, 32_768));
      acknowledged.push(n);
    }
  };
  // It ends rather than answer what it could not write down.
  await expect(fill()).rejects.toMatchObject(FAILED);
  expect(acknowledged.length).toBeGreaterThan(10);
  await expect(storage.retrieve(numbered(0))).rejects.toMatchObject(FAILED);

  execFileSync('mount', ['-o', 'remount,size=8m', disk]);
  await server.kill();
  await server.start();
  await works(storage);
  const found = await storage.retrieveBatch(acknowledged.map(numbered));
  expect(found.filter((entry) => entry?.value.length === 32_768)).toHaveLength(acknowledged.length);
  expect(await storage.store(numbered(100), hourEntry(1, 32_768))).toBe('stored');
});

test('scripts that the server forgot are sent again', async () => {
  const server = await start();
  const storage = await open(server.url);
  const admin = connect(server.port);
  await storage.store(numbered(1), hourEntry(1));
  await admin.script('FLUSH');
  const outcomes = await storage.storeIfBatch([
    { key: numbered(1), expected: 1, entry: hourEntry(2) },
    { key: numbered(1), expected: 2, entry: hourEntry(3) },
  ]);
  expect(outcomes).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
  await admin.script('FLUSH');
  expect((await storage.scan({ limit: 10 })).map(({ version }) => version)).toEqual([3]);
  await admin.script('FLUSH');
  expect((await storage.size()).entries).toBe(1);
});

test('a connection that is cut is made anew, and whoever took the prefix meanwhile keeps it', async () => {
  const server = await start();
  const storage = await open(server.url);
  const admin = connect(server.port);
  await storage.store(numbered(1), hourEntry(1));
  await admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
  await works(storage);
  expect((await storage.retrieve(numbered(1)))?.version).toBe(1);

  await storage.store(numbered(2), { ...hourEntry(), expiresAt: 1 });
  await admin.set('{nautilus}:owner', 'nautilus-another.0');
  // Freeing what has expired is a write too.
  expect(await storage.scan({ limit: 10 })).toHaveLength(1);
  expect(await admin.exists(Buffer.concat([Buffer.from('{nautilus}:e:'), numbered(2)]))).toBe(1);
  const takenOver = { ...FAILED, message: expect.stringMatching(/another node uses the same prefix/) as string };
  await expect(storage.store(numbered(1), hourEntry(2))).rejects.toMatchObject(takenOver);
  await expect(storage.remove(numbered(1))).rejects.toMatchObject(FAILED);
  expect(await admin.exists(Buffer.concat([Buffer.from('{nautilus}:e:'), numbered(1)]))).toBe(1);
  await until('it says so to every call', () =>
    storage.retrieve(numbered(1)).then(
      () => undefined,
      (error: Error) => (error.message.includes('another node uses the same prefix') ? true : undefined),
    ),
  );
  await storage.close();
  expect(await admin.get('{nautilus}:owner')).toBe('nautilus-another.0');
});

test('a primary that becomes a replica fails writes, never silently, and works again as a primary', async () => {
  const server = await start();
  const other = await start();
  const storage = await open(`${server.url}?timeoutMs=1000`);
  await storage.store(numbered(1), hourEntry(1));
  const admin = connect(server.port);
  await admin.replicaof('127.0.0.1', other.port);
  await until('writes say why', () =>
    storage.store(numbered(2), hourEntry()).then(
      () => undefined,
      (error: Error) => (/replica/.test(error.message) ? true : undefined),
    ),
  );
  await admin.replicaof('NO', 'ONE');
  await works(storage);
  expect(await storage.store(numbered(2), hourEntry())).toBe('stored');
});

test('the server frees what nobody comes back for: after the deadline, by a margin', async () => {
  const server = await start();
  const storage = await open(server.url);
  const admin = connect(server.port);
  const now = Date.now();
  const expiresAt = now + 120_000;
  await storage.store(numbered(1), { ...hourEntry(), expiresAt });
  const freedAt = await admin.pexpiretime(Buffer.concat([Buffer.from('{nautilus}:e:'), numbered(1)]));
  expect(freedAt).toBeGreaterThan(expiresAt);
  expect(freedAt).toBeLessThan(expiresAt + 2 * 3_600_000);

  // As if it had: the index forgets it with the next scan.
  await admin.del(Buffer.concat([Buffer.from('{nautilus}:e:'), numbered(1)]));
  expect((await storage.size()).entries).toBe(1);
  expect(await storage.scan({ limit: 10 })).toEqual([]);
  expect((await storage.size()).entries).toBe(0);
});
