/** The suite on a ring of two servers of different kinds. Making a schema per case takes its time; two of one kind: storage-ring-redis.test.ts. */
import { afterAll, beforeAll, test } from 'vitest';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { openPostgresStorage, openRedisStorage, openRing } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { DURABLE, type RedisServer, redisMissing, redisServers } from '../support/redis-server.ts';

const missing = redisMissing() ?? missingPostgres();
const startRedis = redisServers();
let redis: RedisServer;
let postgres: PostgresServer;
let count = 0;

beforeAll(async () => {
  if (missing === undefined) [redis, postgres] = await Promise.all([startRedis(DURABLE), startPostgresServer()]);
}, 60_000);
afterAll(() => postgres?.dispose());

const cases = storageConformance({
  isPersistent: true,
  open: async (clock) => {
    const place = `ring_${count++}`;
    const address = { host: '127.0.0.1', tls: false, ca: undefined, username: undefined, password: undefined, db: 0 };
    const shards = [
      {
        name: 'redis',
        weight: 1,
        open: () => openRedisStorage({ ...address, port: redis.port, prefix: place, clock }),
      },
      {
        name: 'postgres',
        weight: 1,
        open: () => openPostgresStorage({ url: postgres.url(), schema: place, poolSize: 3, timeoutMs: 10_000, clock }),
      },
    ];
    const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) };
    const open = async () => (await openRing({ shards, clock, random, observer: SILENT_OBSERVER })).storage;
    return { storage: await open(), reopen: open };
  },
});

for (const { name, skip, run } of cases) {
  const reason = missing ?? skip;
  test(`a ring of redis and postgres: ${name}`, (context) => (reason === undefined ? run() : context.skip(reason)));
}
