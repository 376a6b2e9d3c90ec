/**
 * Puts and gets without a pause at a node that is alone, while its storage is migrated: each worker has its own keys, so that what every get has to
 * return is known exactly. Alone, so that no other holder can make up for what the node lost.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connectControl } from '../../src/client/index.ts';
import { isNautilusError } from '../../src/core/index.ts';
import { getBatch, putBatch, type TestRecord } from './batches.ts';
import { type CliResult, spawnNautilus } from './cli.ts';
import type { RunningNode, StartNode } from './running-node.ts';

const WORKERS = 2;
const KEYS_EACH = 25;
/** A key that was never acknowledged may be absent. */
const NOTHING = 'nothing';

/** What a worker knows of its keys. */
interface Book {
  /** The last value that was acknowledged, and those tried since. */
  readonly values: Map<string, { acknowledged: string | undefined; readonly tried: string[] }>;
}

export interface LoadResult {
  readonly puts: number;
  readonly gets: number;
  /** One sentence each. */
  readonly failed: readonly string[];
  readonly stale: readonly string[];
  /** Of each key, what may be there now. */
  readonly expected: ReadonlyMap<string, readonly string[]>;
}

export interface RunningLoad {
  /** Resolves when the last request has ended. A node that is killed ends it too: those requests are not among the failed. */
  end(): Promise<LoadResult>;
}

/** @param name begins the keys: one load's are not another one's */
export async function startLoad(node: RunningNode, name: string): Promise<RunningLoad> {
  const client = await connectControl({ dataDir: node.ready.dataDir });
  const failed: string[] = [];
  const stale: string[] = [];
  const book: Book = { values: new Map() };
  let [puts, gets] = [0, 0];
  let isOver = false;
  const work = async (worker: number) => {
    for (let n = 0; !isOver; n++) {
      const key = `${name}/${worker}/${n % KEYS_EACH}`;
      const known = book.values.get(key) ?? { acknowledged: undefined, tried: [] };
      book.values.set(key, known);
      const value = `${n} `.repeat(30);
      try {
        known.tried.push(value);
        await client.call('put', { key, value });
        known.acknowledged = value;
        known.tried.length = 0;
        puts++;
        const got = await client.call('get', { key });
        gets++;
        if (got.value !== value) stale.push(`${key}: ${got.value} instead of ${value}`);
      } catch (error) {
        // The connection has ended with the node.
        if (isNautilusError(error, 'NODE_UNREACHABLE')) return;
        failed.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await nextTurn();
    }
  };
  const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker));
  return {
    end: async () => {
      isOver = true;
      await Promise.all(workers);
      client.close();
      const expected = new Map(
        [...book.values].map(([key, { acknowledged, tried }]) => [key, [acknowledged ?? NOTHING, ...tried]]),
      );
      return { puts, gets, failed, stale, expected };
    },
  };
}

/** Sentences about keys that have something else than they may. */
export async function strayed(node: RunningNode, { expected }: LoadResult): Promise<readonly string[]> {
  const client = await connectControl({ dataDir: node.ready.dataDir });
  const wrong: string[] = [];
  for (const [key, values] of expected) {
    const got = await client.call('get', { key }).then(
      ({ value }) => value,
      (error: unknown) => (isNautilusError(error, 'NOT_FOUND') ? NOTHING : String(error)),
    );
    if (!values.includes(got)) wrong.push(`${key}: ${got}, which is none of ${values.join(' | ')}`);
  }
  client.close();
  return wrong;
}

/** @returns those that were acknowledged */
export function fill(node: RunningNode, count: number): Promise<TestRecord[]> {
  const records = Array.from({ length: count }, (_, n) => ({ key: `filled/${n}`, value: `value ${n} `.repeat(20) }));
  return putBatch((args, input) => node.verb(args, { input }), records);
}

/** A sentence for each that is not there as it was put. */
export function missingOf(node: RunningNode, records: readonly TestRecord[]): Promise<string[]> {
  return getBatch((args, input) => node.verb(args, { input }), records);
}

/** Runs the command. @param onLine told of each line of what it says, as it comes */
export async function migrate(
  node: RunningNode,
  to: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<CliResult> {
  const goals = to.flatMap((url) => ['--to', url]);
  const child = spawnNautilus(['storage', 'migrate', ...goals, '--json', '--data-dir', node.ready.dataDir]);
  child.stdin?.end();
  let [stdout, stderr, told] = ['', '', 0];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const lines = stdout.split('\n').slice(0, -1);
    for (const line of lines.slice(told)) onLine(line);
    told = lines.length;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

export interface KillRound {
  /** Whether the start after it had something to go on with: else the kill came too early or too late. */
  readonly isResumed: boolean;
  readonly failed: readonly string[];
  /** Of all that was acknowledged in this round and those before it. */
  readonly missing: readonly string[];
}

const FILLED = 300;

/** Rounds of: migrate to another LMDB directory, or in every other round to a ring of two, under load, kill the node in that phase, start it as before, see what it has, let it finish. */
export async function killDuringMigrations(
  phases: readonly string[],
  dataDir: string,
  startNode: StartNode,
): Promise<KillRound[]> {
  const rounds: KillRound[] = [];
  const loads: LoadResult[] = [];
  let node = await startNode({ dataDir });
  const filled = await fill(node, FILLED);
  for (const [round, phase] of phases.entries()) {
    const directories = round % 2 === 0 ? ['heavy', 'light'] : ['alone'];
    const to = directories.map(
      (name) => `lmdb:${join(dataDir, `${name}-${round}`)}${name === 'heavy' ? '?weight=2' : ''}`,
    );
    const load = await startLoad(node, `load-${round}`);
    let killed: Promise<unknown> | undefined;
    await migrate(node, to, (line) => {
      if (line.includes(`"${phase}"`)) killed ??= node.kill();
    });
    await (killed ?? node.kill());
    const result = await load.end();
    loads.push(result);
    const linesBefore = await resumptions(dataDir);
    node = await startNode({ dataDir });
    const missing = await missingOf(node, filled);
    for (const each of loads) missing.push(...(await strayed(node, each)));
    const isResumed = (await resumptions(dataDir)) > linesBefore;
    const { code, stderr } = await migrate(node, to);
    // It may have come to its end by itself already, and says so.
    if (code !== 0 && !stderr.includes('already')) missing.push(stderr);
    rounds.push({ isResumed, failed: result.failed, missing });
  }
  await node.stop();
  return rounds;
}

async function resumptions(dataDir: string): Promise<number> {
  const log = await readFile(join(dataDir, 'node.log'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''; // nothing was worth a line yet
    throw error;
  });
  return log.split('goes on where it was interrupted').length - 1;
}
