/** Twelve storing processes and a bootstrap service lose five of their number and not one record. */
import { beforeAll, describe, expect, it } from 'vitest';
import { getBatch, putBatch, type TestRecord } from '../support/batches.ts';
import { objectOf } from '../support/cli.ts';
import { seededChoice } from '../support/seeded-choice.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Testnet, testnetStarter } from '../support/testnet.ts';

interface Placed extends TestRecord {
  readonly writer: number;
}

const NODES = Array.from({ length: 12 }, (_, i) => i + 1);
const RECORDS = 200;
/** Of them by verbs of their own; the others by batches. */
const SINGLE = 12;

const directory = temporaryDirectory();
const startTestnet = testnetStarter();
const choice = seededChoice();
let testnet: Testnet;
const records: Placed[] = Array.from({ length: RECORDS }, (_, i) => ({
  key: `svc/record-${i}`,
  value: `10.0.${i}.1:80 ${'x'.repeat(i)}`,
  writer: choice.one(NODES),
}));

const verbAt = (n: number) => (args: readonly string[], input: string) => testnet.verb(n, args, { input });

beforeAll(async () => {
  testnet = await startTestnet({ dir: await directory('twelve'), nodes: NODES.length });
}, 180_000);

describe('twelve storing processes and a bootstrap service', { timeout: 180_000 }, () => {
  it('know each other once they are up', () => {
    const servers = testnet.nodes.filter(({ mode }) => mode === 'server');
    expect(servers.map(({ state, peers }) => ({ state, peers }))).toEqual(
      NODES.map(() => ({ state: 'running', peers: 11 })),
    );
    expect(new Set(testnet.nodes.map(({ peerId }) => peerId)).size).toBe(13);
  });

  it('store 200 records that were put through random nodes', async () => {
    for (const { writer, key, value } of records.slice(0, SINGLE)) {
      const { receipt } = objectOf<{ receipt: object }>(await testnet.verb(writer, ['put', key, value, '--json']));
      expect(receipt).toMatchObject({ k: 12, wanted: 7 });
    }
    const batches = NODES.map((n) => records.slice(SINGLE).filter(({ writer }) => writer === n));
    const stored = await inPairs(batches, (batch, i) => putBatch(verbAt(NODES[i] as number), batch));
    expect(stored.flat()).toHaveLength(RECORDS - SINGLE);
  });

  it('return each of them at three nodes that did not write it: 600 of 600', async () => {
    const asked = records.flatMap((record) =>
      choice
        .some(
          NODES.filter((n) => n !== record.writer),
          3,
        )
        .map((reader) => ({ ...record, reader })),
    );
    expect(asked).toHaveLength(600);
    const problems = await inPairs(NODES, (n) =>
      getBatch(
        verbAt(n),
        asked.filter(({ reader }) => reader === n),
      ),
    );
    expect(problems.flat()).toEqual([]);
  });

  it('return all 200 right after five of them were killed', async () => {
    const killed = choice.some(NODES, 5);
    const survivors = NODES.filter((n) => !killed.includes(n));
    await Promise.all(killed.map((n) => testnet.testnetVerb('kill', String(n))));
    const asked = records.map((record) => ({ ...record, reader: choice.one(survivors) }));
    const [single, batched] = [asked.slice(0, survivors.length), asked.slice(survivors.length)];
    const problems = await inPairs(survivors, (n) =>
      getBatch(
        verbAt(n),
        batched.filter(({ reader }) => reader === n),
      ),
    );
    expect(problems.flat(), `killed: ${killed.join(', ')}`).toEqual([]);
    for (const { reader, key, value } of single) {
      expect(objectOf(await testnet.verb(reader, ['get', key, '--json']))).toMatchObject({ key, value });
    }
  });

  it('take a new record with a majority of twelve, five of whom are dead', async () => {
    const { nodes } = await testnet.testnetVerb('status');
    const survivor = nodes.find(({ n, state }) => n > 0 && state === 'running');
    expect(nodes.filter(({ state }) => state === 'stopped')).toHaveLength(5);
    const put = await testnet.verb(survivor?.n ?? 0, ['put', 'svc/afterwards', 'still here', '--json']);
    const { receipt } = objectOf<{ receipt: { wanted: number; acked: number } }>(put);
    expect(receipt.acked).toBeGreaterThanOrEqual(receipt.wanted);
  });
});

/** Two commands at a time: this machine has two cores, and the network runs on them too. */
async function inPairs<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next[0]] = await work(next[1], next[0]);
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}
