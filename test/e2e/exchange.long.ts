/** What exchange.test.ts leaves out: real servers on the way, and ten kills. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fill, killDuringMigrations, migrate, missingOf, startLoad, strayed } from '../support/exchange-load.ts';
import { recordFigure } from '../support/figures.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { DURABLE, redisMissing, redisServers } from '../support/redis-server.ts';
import { nodeStarter } from '../support/running-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const RECORDS = 2_000;
const KILLS = 10;
const directory = temporaryDirectory();
const startNode = nodeStarter();
const startRedis = redisServers();
const reason = redisMissing() ?? missingPostgres();
let postgres: PostgresServer | undefined;
afterAll(() => postgres?.dispose());

describe('storage migrate, at length', { timeout: 900_000 }, () => {
  it('goes memory → LMDB → Redis → PostgreSQL → a ring of all three → LMDB under load: nothing fails, is lost or stale', async (context) => {
    if (reason !== undefined) context.skip(reason);
    const redis = await startRedis(DURABLE);
    postgres = await startPostgresServer();
    const dataDir = await directory();
    const node = await startNode({ dataDir, args: ['--storage', 'memory:'] });
    const filled = await fill(node, RECORDS);
    const load = await startLoad(node, 'load');
    const ring = [
      `lmdb:${join(dataDir, 'part')}`,
      `${redis.url}?prefix=ring`,
      `${postgres.url()}?schema=ring&copies=2`,
    ];
    for (const to of [['lmdb:'], [redis.url], [postgres.url()], ring, [`lmdb:${join(dataDir, 'last')}`]]) {
      const { code, stderr } = await migrate(node, to);
      expect({ to, code, stderr }).toEqual({ to, code: 0, stderr: '' });
    }
    const result = await load.end();
    const lost = [...(await strayed(node, result)), ...(await missingOf(node, filled))];
    recordFigure(
      'exchange under load, five legs',
      `${result.puts} puts and ${result.gets} gets meanwhile, ${result.failed.length} failed, ${result.stale.length} stale, ${lost.length} lost`,
    );
    expect({ failed: result.failed, stale: result.stale, lost }).toEqual({ failed: [], stale: [], lost: [] });
  });

  it('is killed in the middle ten times, and has every acknowledged record', async () => {
    const phases = Array.from({ length: KILLS }, (_, n) => (n % 2 === 0 ? 'copying' : 'verifying'));
    const rounds = await killDuringMigrations(phases, await directory(), startNode);
    const missing = rounds.flatMap((round) => round.missing);
    const resumed = rounds.filter(({ isResumed }) => isResumed).length;
    recordFigure(
      `kill -9 during a migration, ${KILLS} rounds`,
      `${resumed} resumed, ${missing.length} records missing`,
    );
    expect({ missing, failed: rounds.flatMap(({ failed }) => failed) }).toEqual({ missing: [], failed: [] });
    expect(resumed).toBeGreaterThan(0);
  });
});
