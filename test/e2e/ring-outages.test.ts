/** A ring of three real Redis under load loses one, by SIGKILL and by SIGSTOP, and nothing else. More seeds: ring-outages.long.ts. */
import { describe, it } from 'vitest';
import { expectOutages, printOutages } from '../support/expect-outages.ts';
import { QUICK_DIRECTORY } from '../support/quick-directory.ts';
import { redisMissing, redisServers } from '../support/redis-server.ts';
import { runOutages } from '../support/ring-outages.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SEEDS = [1, 2, 3];
const missing = redisMissing();
const directory = temporaryDirectory(QUICK_DIRECTORY);
const startRedis = redisServers();

describe('a ring of three redis under load', { timeout: 300_000 }, () => {
  it('goes on while one is killed, and while one is stopped, and is whole when it is back', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    // Most of the time is spent waiting for circuits: the seeds side by side take little longer than one.
    const reports = await Promise.all(SEEDS.map((seed) => runOutages(seed, { startRedis, directory })));
    printOutages(SEEDS, reports);
    for (const report of reports) expectOutages(report);
  });
});
