/** Many nodes join few at once, while all of them are read. */
import { World, wideAreaLatency } from '../../testnet/simulator/index.ts';
import { printFigures } from './figures.ts';
import { joinFirst, joinThrough, missingCopies, putRecords } from './healing.ts';
import { type LoadFigures, runGets } from './load.ts';

export interface CrowdOptions {
  readonly seed: string;
  readonly k: number;
  /** There before the others come. */
  readonly nodes: number;
  readonly newcomers: number;
}

export interface CrowdFigures {
  /** Gets of the first two minutes. */
  readonly during: LoadFigures;
  /** Gets of half a minute, three minutes later. */
  readonly afterwards: LoadFigures;
  /** Keys that lack copies at the end, and on whom. */
  readonly missing: readonly string[];
}

const MINUTE = 60_000;

/** A line of the figures is printed. */
export async function joinCrowd({ seed, k, nodes, newcomers }: CrowdOptions): Promise<CrowdFigures> {
  const latency = wideAreaLatency({ seed });
  const total = nodes + newcomers;
  const world = await World.create({ seed, nodes: total, joined: false, constants: { k }, conditions: { latency } });
  await joinFirst(world, nodes);
  const keys = await putRecords(world, 60);
  await world.run(MINUTE);
  // Who has not met anybody yet is a network of its own.
  const readers = [...world.running];
  const load = { keys, random: world.random.fork('load'), readers: () => readers };
  const [during] = await world.do(() =>
    Promise.all([
      runGets(world, { ...load, perSecond: 5, forMs: 2 * MINUTE }),
      ...world.nodes.slice(nodes).map(async (node) => {
        await joinThrough(world.node(0), node);
        readers.push(node);
      }),
    ]),
  );
  await world.run(3 * MINUTE);
  const afterwards = await world.do(() => runGets(world, { ...load, perSecond: 5, forMs: MINUTE / 2 }));
  const row = (what: string, { gets, p50, p99, outcomes }: LoadFigures) => [
    what,
    gets,
    p50.toFixed(0),
    p99.toFixed(0),
    JSON.stringify(outcomes),
  ];
  printFigures([
    [`${newcomers} join ${nodes}, K = ${k}, seed ${seed}`, 'gets', 'p50, ms', 'p99, ms', 'outcomes'],
    row('in the two minutes', during),
    row('three minutes later', afterwards),
  ]);
  return { during, afterwards, missing: await missingCopies(world, keys) };
}
