/**
 * `npm run demo`: nine real processes on this machine store a few hundred real records, lose three of their number and return every record
 * all the same. Exit 0 only if each came back right, every time. Leaves no process and no file, also when it is interrupted.
 */
import { DemoNetwork } from './demo/demo-network.ts';
import { type DemoRecord, lockfileRecords } from './demo/lockfile-records.ts';
import { Report, type StepProgress } from './demo/report.ts';

interface Put {
  readonly key: string;
  readonly receipt: {
    readonly wanted: number;
    readonly acked: number;
    readonly k: number;
    readonly holders: readonly { readonly peerId: string; readonly rank: number; readonly status: string }[];
  };
}

type Work = (n: number, records: readonly DemoRecord[], onRecord: () => void) => Promise<string[]>;

const NODES = 8;
const KILLED = [2, 5, 7];
const RESTARTED = 5;
/** Commands at once: each is a process of its own. */
const COMMANDS_AT_ONCE = 4;

const report = new Report();
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!interrupt.signal.aborted) report.line('\ninterrupted: ending every process');
    interrupt.abort(new Error('interrupted'));
  });
}
process.exitCode = await main();

async function main(): Promise<number> {
  const network = await DemoNetwork.create(interrupt.signal);
  try {
    await demonstrate(network);
    return 0;
  } catch (error) {
    if (interrupt.signal.aborted) return 130;
    report.line(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await network.remove();
    if (!interrupt.signal.aborted)
      report.line(`Every process has ended and every file is gone. ${report.elapsed} in all.`);
  }
}

async function demonstrate(network: DemoNetwork): Promise<void> {
  const records = await lockfileRecords();
  const nodes = Array.from({ length: NODES }, (_, i) => i + 1);
  // Record i goes in at node i % NODES + 1, and is asked for at nodes that did not write it.
  const writerOf = (index: number) => (index % NODES) + 1;

  await report.step(
    `Start a bootstrap service and ${NODES} storing nodes, each a process with its own disk store`,
    0,
    async () => {
      report.command(`nautilus testnet up -n ${NODES} --detach`);
      await network.up(NODES);
      report.table(network.nodes.map(({ n, mode, peerId, addresses }) => [`${n}`, mode, peerId, portOf(addresses)]));
      return `${NODES + 1} processes; every storing node knows the ${NODES - 1} others`;
    },
  );

  await report.step(
    `Put ${records.length} records, the packages of package-lock.json, through ${NODES} nodes`,
    records.length,
    (progress) => {
      report.command('nautilus put --batch records.jsonl --data-dir node-1   (and so on)');
      return everyRecord('stored', records, writerOf, progress, (...batch) => network.putBatch(...batch));
    },
  );

  await report.step('Get every one from a node that did not write it', records.length, (progress) => {
    report.command('nautilus get --batch keys.txt --data-dir node-4   (and so on)');
    return everyRecord(
      'right',
      records,
      (i) => writerOf(i + 3),
      progress,
      (...batch) => network.getBatch(...batch),
    );
  });

  await report.step('Single verbs, and the receipt of a put', 0, () => singleVerbs(network));

  const before = await identityAndKeys(network, RESTARTED);
  const survivors = nodes.filter((n) => !KILLED.includes(n));
  await report.step(
    `Kill nodes ${KILLED.join(', ')} (SIGKILL) and at once get every record from the others`,
    records.length,
    async (progress) => {
      for (const n of KILLED) report.command(`nautilus testnet kill ${n}`);
      await Promise.all(KILLED.map((n) => network.kill(n)));
      const readerOf = (index: number) => {
        const others = survivors.filter((n) => n !== writerOf(index));
        return others[index % others.length] as number;
      };
      return everyRecord('right', records, readerOf, progress, (...batch) => network.getBatch(...batch));
    },
  );

  await report.step(`Restart node ${RESTARTED}: it has its identity and its data`, 0, async () => {
    report.command(`nautilus testnet restart ${RESTARTED}`);
    await network.restart(RESTARTED);
    const after = await identityAndKeys(network, RESTARTED);
    if (after.peerId !== before.peerId) throw new Error(`its identity was ${before.peerId}, now it is ${after.peerId}`);
    // It may have more: what it had missed before is repaired as soon as it is back.
    const lost = [...before.keys].filter((key) => !after.keys.has(key));
    if (lost.length > 0) throw new Error(`it lost ${lost.length} of ${before.keys.size} records, such as ${lost[0]}`);
    return `${after.peerId}, ${after.keys.size} records, all it had before`;
  });
}

/** Hands every record to the node that `nodeOf` says, in one batch a node. @throws when a record failed */
async function everyRecord(
  done: string,
  records: readonly DemoRecord[],
  nodeOf: (index: number) => number,
  progress: StepProgress,
  work: Work,
): Promise<string> {
  const begun = performance.now();
  const batches = new Map<number, DemoRecord[]>();
  for (const [index, record] of records.entries()) {
    const n = nodeOf(index);
    batches.set(n, [...(batches.get(n) ?? []), record]);
  }
  const waiting = [...batches];
  const problems: string[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      problems.push(...(await work(next[0], next[1], () => progress.step())));
    }
  };
  await Promise.all(Array.from({ length: COMMANDS_AT_ONCE }, worker));
  if (problems.length > 0) {
    throw new Error(`${problems.length} of ${records.length} records failed, the first is ${problems[0]}`);
  }
  const perSecond = Math.round((records.length * 1_000) / (performance.now() - begun));
  return `${records.length} of ${records.length} ${done}, ${perSecond} a second`;
}

async function singleVerbs(network: DemoNetwork): Promise<string> {
  report.command('nautilus put demo/greeting "hello, network" --ttl 1h --data-dir node-1');
  const [put] = await network.verb<Put>(1, ['put', 'demo/greeting', 'hello, network', '--ttl', '1h']);
  if (put === undefined) throw new Error('put answered with nothing');
  const { acked, wanted, k, holders } = put.receipt;
  report.line(`   stored by ${acked} of ${k} holders, ${wanted} were needed:`);
  report.table(holders.map(({ rank, peerId, status }) => [`${rank}`, peerId, status]));

  report.command('nautilus get demo/greeting --data-dir node-6');
  const [got] = await network.verb<{ value: string; agreed: number; elapsedMs: number }>(6, ['get', 'demo/greeting']);
  if (got?.value !== 'hello, network') throw new Error(`get answered ${JSON.stringify(got)}`);
  report.line(`   ${got.value}   (${got.agreed} holders agreed, ${got.elapsedMs.toFixed(1)} ms)`);

  report.command('nautilus lookup demo/greeting --data-dir node-3');
  const [found] = await network.verb<{ closest: { peerId: string }[]; requests: number }>(3, [
    'lookup',
    'demo/greeting',
  ]);
  report.line(`   closest is ${found?.closest[0]?.peerId} (${found?.requests} requests)`);

  report.command('nautilus delete demo/greeting --data-dir node-1');
  const [deleted] = await network.verb<Put>(1, ['delete', 'demo/greeting']);
  return `deleted by ${deleted?.receipt.acked} of ${deleted?.receipt.k} holders`;
}

async function identityAndKeys(network: DemoNetwork, n: number): Promise<{ peerId: string; keys: Set<string> }> {
  const [[id], held] = await Promise.all([
    network.verb<{ peerId: string }>(n, ['id']),
    network.verb<{ key: string }>(n, ['list']),
  ]);
  if (id === undefined) throw new Error(`node ${n} has no id`);
  return { peerId: id.peerId, keys: new Set(held.map(({ key }) => key)) };
}

function portOf([address = '']: readonly string[]): string {
  return address.replace(/\/p2p\/.*$/, '');
}
