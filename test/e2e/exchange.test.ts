/** The storage of a node that serves is exchanged under load, and the node killed on the way. Through Redis and PostgreSQL: exchange.long.ts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLines } from '../support/cli.ts';
import { fill, killDuringMigrations, migrate, missingOf, startLoad, strayed } from '../support/exchange-load.ts';
import { nodeStarter } from '../support/running-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Step {
  readonly phase: string;
  readonly to: readonly string[];
  readonly entries: number;
  readonly total: number;
}

const RECORDS = 300;
const NONE = { missing: [], failed: [] };
const directory = temporaryDirectory();
const startNode = nodeStarter();

describe('storage migrate', { timeout: 120_000 }, () => {
  it('goes from memory to LMDB, and on to a ring of two under load: nothing fails, nothing is lost, nothing is stale', async () => {
    const dataDir = await directory();
    const node = await startNode({ dataDir, args: ['--storage', 'memory:'] });
    const filled = await fill(node, RECORDS);
    expect(filled).toHaveLength(RECORDS);
    const load = await startLoad(node, 'load');
    const ring = [`lmdb:${join(dataDir, 'heavy')}?weight=2`, `lmdb:${join(dataDir, 'light')}`];
    for (const to of [['lmdb:'], ring]) {
      const { code, stdout, stderr } = await migrate(node, to);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const steps = parseLines<Step>(stdout);
      expect(steps.at(-1)).toMatchObject({ phase: 'switched', to });
      expect(steps.at(-1)?.total).toBeGreaterThanOrEqual(RECORDS);
    }
    const result = await load.end();
    expect({ failed: result.failed, stale: result.stale }).toEqual({ failed: [], stale: [] });
    expect(result.puts).toBeGreaterThan(0);
    expect(await missingOf(node, filled)).toEqual([]);

    await node.kill();
    // The flag still names what it named then: the note of the node decides, and says so.
    const again = await startNode({ dataDir, args: ['--storage', 'memory:'] });
    expect(await strayed(again, result)).toEqual([]);
    const log = await readFile(join(dataDir, 'node.log'), 'utf8');
    expect(log).toContain(`start with --storage for each of ${ring.join(', ')} from now on`);
    await again.stop();
    const flagged = await startNode({ dataDir, args: ring.flatMap((url) => ['--storage', url]) });
    expect(await missingOf(flagged, filled)).toEqual([]);
    const { shards } = parseLines<{ shards: { weight: number; records: number }[] }>(
      (await flagged.verb(['storage', 'status', '--json'])).stdout,
    )[0]!;
    expect(shards.map(({ weight }) => weight)).toEqual([2, 1]);
    for (const { records } of shards) expect(records).toBeGreaterThan(RECORDS / 10);
    await flagged.stop();
    const other = startNode({ dataDir, args: ['--storage', `lmdb:${join(dataDir, 'third')}`] });
    await expect(other).rejects.toThrow(
      /the records of this node are in .*heavy, .*light, and nothing was moved to .*third/,
    );
  });

  it('is killed in the middle, to a ring and from it: every acknowledged record is there, and the migration comes to its end', async () => {
    const dataDir = await directory();
    const rounds = await killDuringMigrations(['copying', 'verifying'], dataDir, startNode);
    expect(rounds.map(({ missing, failed }) => ({ missing, failed }))).toEqual([NONE, NONE]);
    expect(rounds.map(({ isResumed }) => isResumed)).toContain(true);
  });
});
