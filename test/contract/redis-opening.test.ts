/** Opening a Redis storage where it cannot be used: each a clear error within the deadline. On real servers and sockets. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NodeEvent } from '../../src/core/index.ts';
import { systemClock, systemRandom } from '../../src/platform/index.ts';
import { openStorages as openStoragesOfNode } from '../../src/registry/index.ts';
import { MapStateStore } from '../support/map-state-store.ts';
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

const sockets = new Set<Socket>();
let listener: Server | undefined;
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  listener?.close();
  listener = undefined;
});

/** @returns the port of a server that does `answer` with each connection */
async function listen(answer: (socket: Socket) => void): Promise<number> {
  listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return (listener.address() as { port: number }).port;
}

/** Every character that has a meaning in a URL. */
const ODD_PASSWORD = 'r@#/?:%ght';

const failing = (code: string, message: string | RegExp) => ({
  code,
  message: expect.stringMatching(message) as string,
});
/** Everything a logger might print. */
function everything(error: unknown): string {
  const parts: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    parts.push(each.message, JSON.stringify(each), JSON.stringify(Object.getOwnPropertyDescriptors(each)));
  }
  return parts.join('\n');
}

test('a wrong password, none, and one too many are configuration errors that repeat no password', async () => {
  const guarded = await start(['--requirepass', ODD_PASSWORD]);
  const wrong = await open(`redis://:wr0ng@127.0.0.1:${guarded.port}`).catch((error: unknown) => error);
  expect(wrong).toMatchObject(failing('CONFIG_INVALID', /refuses the user name or password/));
  expect(everything(wrong)).not.toContain('wr0ng');
  await expect(open(guarded.url)).rejects.toMatchObject(failing('CONFIG_INVALID', /wants a password/));
  await expect(open(`redis://:${encodeURIComponent(ODD_PASSWORD)}@127.0.0.1:${guarded.port}`)).resolves.toMatchObject({
    name: 'redis',
  });

  const unguarded = await start();
  await expect(open(`redis://:any@127.0.0.1:${unguarded.port}`)).rejects.toMatchObject(
    failing('CONFIG_INVALID', /has no password, but the URL gives one/),
  );
});

test('a user with rights to its prefix only can use it, and is told what nobody could check', async () => {
  const server = await start(DURABLE);
  const admin = connect(server.port);
  await admin.call('ACL', [
    'SETUSER',
    'node',
    'on',
    '>secret',
    '~{mine}:*',
    '+@read',
    '+@write',
    '+@scripting',
    '+@connection',
  ]);
  const events: NodeEvent[] = [];
  const storage = await open(`redis://node:secret@127.0.0.1:${server.port}?prefix=mine`, { events });
  expect(await storage.store(numbered(1), hourEntry())).toBe('stored');
  expect((await storage.scan({ limit: 10 })).length).toBe(1);
  expect((await storage.size()).entries).toBe(1);
  expect(storage.capabilities.durable).toBe(false);
  const warnings = events.map((event) => (event.type === 'warning' ? event.message : ''));
  expect(warnings).toEqual([expect.stringContaining('INFO'), expect.stringContaining('CONFIG GET')]);
  await expect(open(`redis://node:secret@127.0.0.1:${server.port}?prefix=other`)).rejects.toMatchObject(
    failing('CONFIG_INVALID', /lacks rights/),
  );
});

test('a port where nobody listens is said to be unreachable', async () => {
  const server = await start();
  await server.stop();
  await expect(open(server.url)).rejects.toMatchObject(failing('STORAGE_FAILED', /cannot be reached \(ECONNREFUSED\)/));
});

test('a host that accepts and never answers costs the deadline, and no more', async () => {
  const port = await listen(() => undefined);
  await expect(open(`redis://127.0.0.1:${port}?timeoutMs=200`)).rejects.toMatchObject(
    failing('STORAGE_FAILED', /did not answer within 0.2 s/),
  );
  await expect(open(`rediss://127.0.0.1:${port}?timeoutMs=200`)).rejects.toMatchObject(
    failing('STORAGE_FAILED', /did not answer within 0.2 s|cannot be reached/),
  );
  const abort = new AbortController();
  const opening = open(`redis://127.0.0.1:${port}`, { signal: abort.signal });
  abort.abort(new Error('the node is stopping'));
  await expect(opening).rejects.toThrow('the node is stopping');
});

test('a server that speaks something else, or hangs up, is a storage that failed', async () => {
  const http = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await expect(open(`redis://127.0.0.1:${http}?timeoutMs=2000`)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  listener?.close();
  const rude = await listen((socket) => socket.destroy());
  await expect(open(`redis://127.0.0.1:${rude}?timeoutMs=2000`)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
});

test('TLS to a port without it, and plain to one with it, end in words about TLS or the connection', async (context) => {
  const plain = await start();
  await expect(open(`rediss://127.0.0.1:${plain.port}?timeoutMs=500`)).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringMatching(/TLS/) as string,
  });
  const certificate = selfSigned(plain.directory);
  if (certificate === undefined) return context.skip('openssl is missing: apt-get install openssl');
  const { cert, key } = certificate;
  const tls = await start([
    ...DURABLE,
    '--tls-port',
    'PORT',
    '--tls-cert-file',
    cert,
    '--tls-key-file',
    key,
    '--tls-auth-clients',
    'no',
    '--tls-ca-cert-file',
    cert,
  ]);
  await expect(open(`redis://127.0.0.1:${tls.port}?timeoutMs=2000`)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await expect(open(`rediss://127.0.0.1:${tls.port}`)).rejects.toMatchObject(failing('CONFIG_INVALID', /\?ca=FILE/));
  await expect(open(`rediss://127.0.0.1:${tls.port}?ca=/no/such/file`)).rejects.toMatchObject(
    failing('CONFIG_INVALID', /ENOENT/),
  );
  const storage = await open(`rediss://127.0.0.1:${tls.port}?ca=${encodeURIComponent(cert)}`);
  await storage.store(numbered(1), hourEntry());
  expect(await storage.contains(numbered(1))).toBe(true);
});

test('a replica is refused by naming its primary, an evicting server and a cluster by what to change', async () => {
  const primary = await start();
  const replica = await start(['--replicaof', `127.0.0.1 ${primary.port}`]);
  await expect(open(replica.url)).rejects.toMatchObject(
    failing('CONFIG_INVALID', `is a replica: name its primary, 127.0.0.1:${primary.port}`),
  );
  const evicting = await start(['--maxmemory-policy', 'allkeys-lru']);
  await expect(open(evicting.url)).rejects.toMatchObject(
    failing('CONFIG_INVALID', /may evict records \(allkeys-lru\): set its maxmemory-policy to noeviction/),
  );
  const cluster = await start(['--cluster-enabled', 'yes']);
  await expect(open(cluster.url)).rejects.toMatchObject(failing('CONFIG_INVALID', /is a cluster: name a plain server/));
  await expect(open(`${primary.url}/77`)).rejects.toMatchObject(failing('CONFIG_INVALID', /has no database 77/));
});

test('a server that is still loading is waited for, and said to be loading when the deadline comes first', async () => {
  const server = await start(['--rdbcompression', 'no']);
  const admin = connect(server.port);
  const pipeline = admin.pipeline();
  for (let n = 0; n < 1_000; n++) pipeline.set(`foreign:${n}`, 'x'.repeat(1_000));
  await pipeline.exec();
  await admin.save();
  await server.stop();
  // Twenty seconds in all: it is done when the test says so, and not before.
  const slow = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'];
  await server.start(slow, 'listens');
  await expect(open(`${server.url}?timeoutMs=1000`)).rejects.toMatchObject(
    failing('STORAGE_FAILED', /is still loading its data \([\d.]+ %\): try again later/),
  );
  const opening = open(`${server.url}?timeoutMs=15000`);
  await connect(server.port).config('SET', 'key-load-delay', '0');
  expect(await (await opening).contains(numbered(1))).toBe(false);
});

test('keys of another type under the prefix are never taken for absent ones', async () => {
  const server = await start();
  const admin = connect(server.port);
  await admin.set('{a}:index', 'text');
  await expect(open(`${server.url}?prefix=a`)).rejects.toMatchObject(
    failing('CONFIG_INVALID', /something else under the key {a}:index \(a string\): choose another \?prefix=/),
  );

  const storage = await open(`${server.url}?prefix=b`);
  const [list, text] = [numbered(1), numbered(2)];
  await admin.rpush(Buffer.concat([Buffer.from('{b}:e:'), list]), 'x');
  await admin.set(Buffer.concat([Buffer.from('{b}:e:'), text]), 'short');
  const isDamage = { code: 'STORAGE_DAMAGED', message: expect.stringContaining('?prefix=') as string };
  for (const key of [list, text]) {
    await expect(storage.retrieve(key)).rejects.toMatchObject(isDamage);
    await expect(storage.retrieveBatch([numbered(9), key])).rejects.toMatchObject(isDamage);
    await expect(storage.contains(key)).rejects.toMatchObject(isDamage);
    await expect(storage.store(key, hourEntry())).rejects.toMatchObject(isDamage);
    await expect(storage.storeIf({ key, expected: 'absent', entry: hourEntry() })).rejects.toMatchObject(isDamage);
    await admin.zadd('{b}:index', 0, Buffer.from(key));
    await expect(storage.scan({ limit: 10 })).rejects.toMatchObject(isDamage);
    await admin.zrem('{b}:index', Buffer.from(key));
  }
  expect(await storage.store(numbered(9), hourEntry())).toBe('stored');
});

test('durable is what the server says: every write flushed before it is answered', async () => {
  const server = await start(DURABLE);
  const admin = connect(server.port);
  const durable = async (events: NodeEvent[] = []) => {
    const storage = await open(server.url, { events });
    await storage.close();
    return storage.capabilities.durable;
  };
  const events: NodeEvent[] = [];
  expect(await durable(events)).toBe(true);
  expect(events).toEqual([]);
  for (const [name, value, back] of [
    ['appendfsync', 'everysec', 'always'],
    ['no-appendfsync-on-rewrite', 'yes', 'no'],
    ['appendonly', 'no', 'yes'],
  ] as const) {
    await admin.config('SET', name, value);
    expect(await durable(events)).toBe(false);
    await admin.config('SET', name, back);
  }
  expect(events).toHaveLength(3);
  expect(events[0]).toMatchObject({ type: 'warning', message: expect.stringMatching(/set appendonly yes/) as string });
});

test('a prefix that somebody uses is refused with their address, and free when they are gone, however they went', async () => {
  const server = await start();
  const first = await open(server.url);
  await expect(open(server.url)).rejects.toMatchObject(
    failing('DATA_DIR_IN_USE', /another node \(from 127\.0\.0\.1:\d+\) uses the same prefix/),
  );
  await expect(open(`${server.url}?prefix=other`)).resolves.toMatchObject({ name: 'redis' });
  await first.close();
  const second = await open(server.url);
  await second.close();

  // As a killed process leaves it: its claim lies there, its connection is gone.
  const killed = connect(server.port);
  await killed.call('CLIENT', ['SETNAME', 'nautilus-0123']);
  await killed.set('{nautilus}:owner', 'nautilus-0123.0');
  await expect(open(server.url)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
  killed.disconnect();
  const admin = connect(server.port);
  await until('the server has noticed', async () =>
    String(await admin.call('CLIENT', ['LIST'])).includes('nautilus-0123') ? undefined : true,
  );
  await expect(open(server.url)).resolves.toMatchObject({ name: 'redis' });
});

/** For 127.0.0.1, and its own authority. */
function selfSigned(directory: string): { readonly cert: string; readonly key: string } | undefined {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=nautilus test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  try {
    execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { cert, key };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && process.env.CI === undefined)
      return undefined;
    throw error;
  }
}

test('whoever watches a node is told what is wrong with its servers, be it one or a ring', async () => {
  const { url } = await start();
  for (const urls of [[url], [`${url}?prefix=one`, `${url}?prefix=two`]]) {
    const warnings: string[] = [];
    const observer = { notify: (event: NodeEvent) => void (event.type === 'warning' && warnings.push(event.message)) };
    const { storage } = await openStoragesOfNode(urls, {
      dataDir: '/nowhere',
      clock: systemClock,
      random: systemRandom,
      observer,
      state: new MapStateStore(),
    });
    await until('both have been opened', () => (warnings.length < urls.length ? undefined : true));
    await storage.close();
    expect(warnings).toEqual(urls.map(() => expect.stringMatching(/set appendonly yes/) as string));
  }
});
