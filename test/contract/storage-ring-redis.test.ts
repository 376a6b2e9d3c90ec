/** The suite on a ring of two places in a real Redis. With PostgreSQL beside it: storage-ring-servers.long.ts. */
import { beforeAll, test } from 'vitest';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { openRedisStorage, openRing } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';
import { DURABLE, type RedisServer, redisMissing, redisServers } from '../support/redis-server.ts';

const missing = redisMissing();
const start = redisServers();
let redis: RedisServer;
let count = 0;

beforeAll(async () => {
  if (missing === undefined) redis = await start(DURABLE);
});

const cases = storageConformance({
  isPersistent: true,
  open: async (clock) => {
    const place = `case-${count++}`;
    const address = { host: '127.0.0.1', tls: false, ca: undefined, username: undefined, password: undefined, db: 0 };
    const shards = ['left', 'right'].map((name) => ({
      name,
      weight: 1,
      open: () => openRedisStorage({ ...address, port: redis.port, prefix: `${place}-${name}`, clock }),
    }));
    const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) };
    const open = async () => (await openRing({ shards, clock, random, observer: SILENT_OBSERVER })).storage;
    return { storage: await open(), reopen: open };
  },
});

for (const { name, skip, run } of cases) {
  const reason = missing ?? skip;
  test(`a ring of two redis: ${name}`, (context) => (reason === undefined ? run() : context.skip(reason)));
}
