/**
 * From one storage to a ring of real servers, and from that ring back to one: what a migration writes and reads is what the others have. Under load
 * and killed on the way, with LMDB: test/e2e/exchange.test.ts; all of them at length: exchange.long.ts.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { NodeEvent } from '../../src/core/index.ts';
import { systemClock, systemRandom } from '../../src/platform/index.ts';
import { openExchangeable, openStorages, storageNaming } from '../../src/registry/index.ts';
import { MapStateStore } from '../support/map-state-store.ts';
import { hourEntry, numbered } from '../support/open-storages.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { DURABLE, redisMissing, redisServers } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const KEYS = Array.from({ length: 300 }, (_, n) => numbered(n));
const missing = redisMissing() ?? missingPostgres();
const startRedis = redisServers();
const directory = temporaryDirectory();
let postgres: PostgresServer | undefined;
beforeAll(async () => {
  if (missing === undefined) postgres = await startPostgresServer();
}, 60_000);
afterAll(() => postgres?.dispose());

const opened = new Set<() => Promise<void>>();
afterEach(async () => {
  for (const close of opened) await close();
});

/** The storage of a node as its start opens it. */
async function start(dataDir: string, state: MapStateStore, ...urls: string[]) {
  const warnings: string[] = [];
  const observer = { notify: (event: NodeEvent) => void (event.type === 'warning' && warnings.push(event.message)) };
  const parts = { dataDir, clock: systemClock, random: systemRandom, observer, state };
  const exchanger = await openExchangeable({
    ...parts,
    urls,
    open: (each, signal) => openStorages(each, { ...parts, signal }),
    naming: storageNaming(dataDir),
  });
  const close = async () => {
    opened.delete(close);
    await exchanger.close();
  };
  opened.add(close);
  const versions = async () => {
    const entries = await exchanger.storage.retrieveBatch(KEYS);
    return new Set(entries.map((entry) => entry?.version));
  };
  return { exchanger, warnings, versions, close };
}

test('a ring of Redis and PostgreSQL is where one storage’s entries go, and where they come back from', async (context) => {
  if (missing !== undefined) context.skip(missing);
  const redis = await startRedis(DURABLE);
  const [dataDir, state] = [await directory(), new MapStateStore()];
  const ring = [`${redis.url}?copies=2&weight=2`, postgres!.url(), `lmdb:${await directory()}`];
  const home = `lmdb:${await directory()}`;

  const first = await start(dataDir, state, home);
  for (const key of KEYS) await first.exchanger.storage.store(key, hourEntry(1));
  for await (const { entries } of first.exchanger.migrate(ring)) if (entries > 0) break;
  // Stopped, as a node is: the next start goes on, and nothing else may use half a ring.
  await first.close();
  await expect(start(dataDir, state, ring[1]!)).rejects.toThrow(/was not finished/);
  for (const urls of [ring, ring.slice(0, 2), [ring[1]!]]) {
    await expect(start(await directory(), new MapStateStore(), ...urls)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(urls === ring ? /a copy that was not finished/ : /name it too|one of a ring/),
    });
  }

  const second = await start(dataDir, state, home);
  expect(second.warnings).toContainEqual(expect.stringContaining('goes on where it was interrupted'));
  await until('it is through', () => (second.exchanger.progress === undefined ? true : undefined));
  expect(second.exchanger.storage.name).toBe('ring');
  expect(await second.versions()).toEqual(new Set([1]));
  await second.exchanger.storage.store(KEYS[0]!, hourEntry(2));
  expect((await second.exchanger.current.ring!.status()).copies).toBe(2);
  await second.close();

  const third = await start(dataDir, state, ...ring);
  expect(await third.versions()).toEqual(new Set([1, 2]));
  expect(() => third.exchanger.migrate([postgres!.url()])).toThrow(/is in use already/);
  for await (const { phase } of third.exchanger.migrate([`${redis.url}?prefix=back`])) {
    if (phase === 'switched') break;
  }
  expect(third.exchanger.storage.name).toBe('redis');
  expect(await third.versions()).toEqual(new Set([1, 2]));
});
