/** Numbered records, `record/0` and up, each put by a random running node that stays its publisher. */
import { numberedValue } from './background-commands.ts';
import type { CommandOf } from './scenario-command.ts';
import type { ScenarioRun } from './scenario-run.ts';

const CONCURRENCY = 16;

export async function putMany(run: ScenarioRun, command: CommandOf<'put-many'>): Promise<string> {
  const { ttlMs, sizeBytes } = command;
  const nodes = run.nodesThatAre('running');
  const count = command.isPerNode ? command.count * nodes.length : command.count;
  const first = run.written.length;
  for (let i = 0; i < count; i++) {
    run.written.push({ key: `record/${first + i}`, node: run.pick(nodes) ?? 0, ttlMs, sizeBytes });
  }
  const records = run.written.slice(first).values();
  let stored = 0;
  const work = async () => {
    for (const { key, node } of records) {
      run.signal.throwIfAborted();
      const outcome = await run.put(node, { key, value: numberedValue(run, sizeBytes), ttlMs });
      if (outcome.kind === 'written') stored++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return `${stored} of ${count} stored`;
}
