/** A small world in which everything the simulator knows goes wrong, at once or in turn, while nodes put and get. For tests of the simulator. */
import { isNautilusError } from '../../src/core/index.ts';
import { parseKey, utf8Encode } from '../../src/records/index.ts';
import { Churn } from '../../testnet/simulator/churn.ts';
import { World, wideAreaLatency } from '../../testnet/simulator/index.ts';

const NODES = 16;
const MINUTE = 60_000;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => parseKey(`svc/${name}`));

export interface FaultyRun {
  readonly world: World;
  readonly churn: Churn;
  /** What became of each put and get, in order. */
  readonly outcomes: readonly string[];
}

export async function runFaultyWorld(seed: string): Promise<FaultyRun> {
  const world = await World.create({
    seed,
    nodes: NODES,
    conditions: { latency: wideAreaLatency({ seed }) },
    clockErrorOf: (_number, random) => ({
      skewMs: random.integer(20_000) - 10_000,
      driftPpm: random.integer(200) - 100,
    }),
    disk: { flushMs: [1, 10] },
  });
  const random = world.random.fork('faults');
  Object.assign(world.network.conditions, {
    lossRate: 0.02,
    duplicationRate: 0.02,
    // A third of the machines is narrow and slow.
    limitsOf: (number: number) =>
      number % 3 === 0
        ? {
            uploadBytesPerSecond: 10_000,
            downloadBytesPerSecond: 20_000,
            queueBytes: 1_500,
            serviceMs: 30,
            queueFrames: 4,
          }
        : undefined,
  });
  const churn = new Churn(world, { medianSessionMs: 6 * MINUTE, meanDowntimeMs: 2 * MINUTE, silentShare: 0.5 });
  churn.start();
  const outcomes: string[] = [];
  for (let minute = 0; minute < 8; minute++) {
    const numbers = random.sample(world.nodes, NODES).map(({ number }) => number);
    const [some, others] = [numbers.slice(0, NODES / 2), numbers.slice(NODES / 2)];
    if (minute % 4 === 0) world.partition([some, others]);
    if (minute % 4 === 1) world.partitionOneWay(some.slice(0, 4), others);
    if (minute % 4 === 2) world.lose(some, others, 0.3);
    if (minute % 4 === 3) world.heal();
    world.setClock(numbers[0]!, random.integer(30_000) - 15_000);
    const paused = random.sample(world.running, 2);
    for (const node of paused) node.pause();
    for (let i = 0; i < 4; i++) outcomes.push(await operate(world, random.integer(2) === 0, i));
    await world.run(5_000);
    for (const node of paused) if (node.isPaused) node.resume();
    await world.run(MINUTE - 5_000);
  }
  churn.stop();
  return { world, churn, outcomes };

  /** One put or get, from a node that may end before it does: then nobody hears of it. */
  async function operate(world: World, isPut: boolean, index: number): Promise<string> {
    const node = random.pick(world.running);
    const key = random.pick(KEYS);
    const { replication } = node;
    const work = isPut
      ? () => replication.put({ key, value: utf8Encode(`${index}`), ttlMs: 60 * MINUTE })
      : () => replication.get({ key });
    let outcome = 'pending';
    const settled = work().then(
      () => 'done',
      (error: unknown) => {
        if (isNautilusError(error)) return error.code;
        throw error;
      },
    );
    void settled.then((how) => {
      outcome = how;
    });
    await world.run(8_000);
    return `${isPut ? 'put' : 'get'} ${outcome}`;
  }
}

/** Everything a run can be compared by, in one line. */
export function describeRun({ world, churn, outcomes }: FaultyRun): string {
  const { dropped, duplicated } = world.network.traffic;
  return `${world} ${JSON.stringify({ dropped, duplicated, churn: churn.counts, outcomes })}`;
}
