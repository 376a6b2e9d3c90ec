/**
 * A server of a ring whose password changes. While the node runs, that is a storage that failed: its circuit opens, puts go on elsewhere, and it is
 * back when the password is. At a start it is a mistake in the configuration, which nobody gets around: a ring goes on without a server that may
 * come back by itself, and without no other.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { systemClock, systemRandom } from '../../src/platform/index.ts';
import { openStorages } from '../../src/registry/index.ts';
import { MapStateStore } from '../support/map-state-store.ts';
import { hourEntry, numbered } from '../support/open-storages.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { redisClients } from '../support/redis-client.ts';
import { DURABLE, redisMissing, redisServers } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const KEYS = Array.from({ length: 64 }, (_, n) => numbered(n));
const directory = temporaryDirectory();
const opened = new Set<() => Promise<void>>();
afterEach(async () => {
  for (const close of opened) await close();
  opened.clear();
});

/** A ring of two: one that works, and the one whose password changes. */
async function openRing(guarded: string, other: string, state: MapStateStore) {
  const urls = [`${other}?name=other`, `${guarded}?name=guarded`];
  const dataDir = '/nowhere';
  const parts = { dataDir, clock: systemClock, random: systemRandom, observer: SILENT_OBSERVER, state };
  const { storage, ring } = await openStorages(urls, parts);
  const close = async () => {
    opened.delete(close);
    await storage.close();
  };
  opened.add(close);
  return { storage, status: async () => (await ring!.status()).shards.find(({ name }) => name === 'guarded')!, close };
}

interface Guarded {
  readonly url: string;
  /** So that who is connected is cut off. */
  setPassword(password: string): Promise<void>;
  readonly refusal: RegExp;
}

async function expectOutageThenRefusal({ url, setPassword, refusal }: Guarded): Promise<void> {
  const otherUrl = `lmdb:${await directory()}`;
  const state = new MapStateStore();
  const { storage, status, close } = await openRing(url, otherUrl, state);
  for (const key of KEYS) expect(await storage.store(key, hourEntry(1))).toBe('stored');

  await setPassword('changed');
  await until('its circuit is open, and says why', async () => {
    await Promise.allSettled(KEYS.map((key) => storage.retrieve(key)));
    const { state: now, lastError } = await status();
    return (now !== 'up' && refusal.test(lastError ?? '')) || undefined;
  });
  for (const key of KEYS) expect(await storage.store(key, hourEntry(2))).toBe('stored');

  await setPassword('secret');
  await until('it is back, with what waited for it', async () => {
    const { state: now, hints } = await status();
    return (now === 'up' && hints === 0) || undefined;
  });
  for (const key of KEYS) expect((await storage.retrieve(key))?.version).toBe(2);
  await close();

  await setPassword('changed');
  const start = () => openRing(url, otherUrl, state);
  await expect(start()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(refusal) });
  await setPassword('secret');
  const again = await start();
  for (const key of KEYS) expect((await again.storage.retrieve(key))?.version).toBe(2);
}

describe('a ring of which one server changes its password, goes on, and is not started with the old one:', () => {
  const missing = { redis: redisMissing(), postgres: missingPostgres() };
  const startRedis = redisServers();
  const connect = redisClients();
  let postgres: PostgresServer;
  beforeAll(async () => {
    if (missing.postgres === undefined) postgres = await startPostgresServer();
  }, 60_000);
  afterAll(() => postgres?.dispose());

  test('Redis', async (context) => {
    if (missing.redis !== undefined) context.skip(missing.redis);
    const server = await startRedis(DURABLE);
    const admin = connect(server.port);
    const setPassword = async (password: string) => {
      await admin.call('ACL', ['SETUSER', 'node', 'on', 'resetpass', `>${password}`, '~*', '+@all']);
      await admin.call('CLIENT', ['KILL', 'USER', 'node']);
    };
    await setPassword('secret');
    await expectOutageThenRefusal({
      url: `redis://node:secret@127.0.0.1:${server.port}`,
      setPassword,
      refusal: /redis:\/\/127\.0\.0\.1:\d+ refuses the user name or password: correct the URL/,
    });
  });

  test('PostgreSQL', async (context) => {
    if (missing.postgres !== undefined) context.skip(missing.postgres);
    await postgres.query('CREATE ROLE guarded; CREATE ROLE node LOGIN IN ROLE guarded');
    await postgres.query('CREATE SCHEMA nautilus AUTHORIZATION node');
    const setPassword = async (password: string) => {
      await postgres.query(`ALTER ROLE node PASSWORD '${password}'`);
      await postgres.query(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'node'`);
    };
    await setPassword('secret');
    await expectOutageThenRefusal({
      url: postgres.url('node:secret'),
      setPassword,
      refusal: /PostgreSQL at 127\.0\.0\.1:\d+\/postgres: the password is wrong: correct the --storage URL/,
    });
  });
});
