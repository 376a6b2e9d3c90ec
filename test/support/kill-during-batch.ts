/** Rounds of: put a long batch at a node that is alone, kill the node in the middle, start it again, ask for all that was acknowledged. */
import { once } from 'node:events';
import { getBatch, putBatch, type TestRecord } from './batches.ts';
import { type CliResult, spawnNautilus } from './cli.ts';
import type { RunningNode, StartNode } from './running-node.ts';
import type { SeededChoice } from './seeded-choice.ts';

export interface KillRound {
  readonly acknowledged: number;
  readonly killedMidway: boolean;
  /** Of everything acknowledged in this round and those before it; empty when all is there. */
  readonly missing: readonly string[];
}

const BATCH = 2_000;

/** Alone, so that no other holder can make up for what the node lost. */
export async function killDuringBatches(
  rounds: number,
  dataDir: string,
  startNode: StartNode,
  choice: SeededChoice,
): Promise<KillRound[]> {
  const results: KillRound[] = [];
  const acknowledged: TestRecord[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const node = await startNode({ dataDir });
    const records = Array.from({ length: BATCH }, (_, i) => ({
      key: `round-${round}/${i}`,
      value: `${round}.${i} `.repeat(40),
    }));
    const killAfter = choice.one([1, 100, 300, 600, 900]);
    const stored = await putBatch((args, input) => putAndKill(node, args, input, killAfter), records);
    acknowledged.push(...stored);
    const again = await startNode({ dataDir });
    const missing = await getBatch((args, input) => again.verb(args, { input }), acknowledged);
    await again.kill();
    results.push({ acknowledged: stored.length, killedMidway: stored.length < BATCH, missing });
  }
  return results;
}

/** SIGKILL to the node once this many records were acknowledged. */
async function putAndKill(
  node: RunningNode,
  args: readonly string[],
  input: string,
  killAfter: number,
): Promise<CliResult> {
  const put = spawnNautilus([...args, '--data-dir', node.ready.dataDir]);
  let stdout = '';
  let stderr = '';
  let killed: Promise<unknown> | undefined;
  put.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.split('\n').length > killAfter) killed ??= node.kill();
  });
  put.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  put.stdin?.on('error', () => undefined); // the node is gone, and the rest of the batch has nowhere to go
  put.stdin?.end(input);
  const [code] = (await once(put, 'close')) as [number | null];
  await (killed ?? node.kill());
  return { code, stdout, stderr };
}
