/** Ten seeds of ring-outages.test.ts, with longer outages, one at a time. */
import { describe, expect, it } from 'vitest';
import { expectOutages, printOutages, recordOutages } from '../support/expect-outages.ts';
import { QUICK_DIRECTORY } from '../support/quick-directory.ts';
import { redisMissing, redisServers } from '../support/redis-server.ts';
import { runOutages, type SeedReport } from '../support/ring-outages.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SEEDS = Array.from({ length: 10 }, (_, n) => n + 1);
/** Outages in which circuits are tried several times before the shard is back. */
const LENGTH = 8;
const missing = redisMissing();
const directory = temporaryDirectory(QUICK_DIRECTORY);
const startRedis = redisServers();

describe('a ring of three redis under load', () => {
  const reports: SeedReport[] = [];
  for (const seed of SEEDS) {
    it(`goes on while one is killed, and while one is stopped, and is whole when it is back: seed ${seed}`, async (context) => {
      if (missing !== undefined) return context.skip(missing);
      const report = await runOutages(seed, { startRedis, directory, length: LENGTH });
      reports.push(report);
      expectOutages(report);
    });
  }

  it('has figures of all of them', (context) => {
    if (missing !== undefined) return context.skip(missing);
    printOutages(SEEDS, reports);
    recordOutages(reports);
    expect(reports).toHaveLength(SEEDS.length);
  });
});
