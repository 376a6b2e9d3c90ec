import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/index.ts';
import { openRedisStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';
import { DURABLE, type RedisServer, redisMissing, redisServers } from '../support/redis-server.ts';

const start = redisServers();
let server: Promise<RedisServer> | undefined;
let count = 0;

const cases = storageConformance({
  isPersistent: true,
  open: async (clock) => {
    server ??= start(DURABLE);
    const running = await server;
    const prefix = `case-${count++}`;
    const open = () => openRedis(running, prefix, clock);
    const reopen = async () => {
      await running.kill();
      await running.start();
      return open();
    };
    return { storage: await open(), reopen };
  },
});

function openRedis({ port }: RedisServer, prefix: string, clock: Clock) {
  const address = {
    host: '127.0.0.1',
    port,
    tls: false,
    ca: undefined,
    username: undefined,
    password: undefined,
    db: 0,
  };
  return openRedisStorage({ ...address, prefix, clock });
}

describe('redis', () => {
  const missing = redisMissing();
  for (const { name, skip = missing, run } of cases) {
    test(`redis: ${name}`, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});

test('redis skips only what needs a bound of its own', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toHaveLength(3);
});
