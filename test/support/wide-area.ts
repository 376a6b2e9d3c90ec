/** Gets over wide-area links with and without dead contacts, as the short and the long test of them measure and print. */
import { percentile, World, wideAreaLatency } from '../../testnet/simulator/index.ts';
import { killSilently, type MeasuredGet, measureGets, putSomeRecords } from '../../testnet/simulator/measure-gets.ts';

export interface WideAreaGets {
  /** Everybody is there. */
  readonly whole: readonly MeasuredGet[];
  /** Right after three in ten vanished. */
  readonly torn: readonly MeasuredGet[];
}

export async function wideAreaGets(options: {
  readonly seed: string;
  readonly nodes: number;
  readonly keys: number;
}): Promise<WideAreaGets> {
  const { seed, nodes } = options;
  const world = await World.create({ seed, nodes, conditions: { latency: wideAreaLatency({ seed }) } });
  const keys = await putSomeRecords(world, options.keys);
  const whole = await measureGets(world, { keys });
  killSilently(world, 0.3);
  return { whole, torn: await measureGets(world, { keys }) };
}

export function elapsedPercentile(gets: readonly MeasuredGet[], share: number): number {
  return percentile(
    gets.map(({ elapsedMs }) => elapsedMs),
    share,
  );
}

/** Rows for `formatTable`, heading first. */
export function wideAreaRows({ whole, torn }: WideAreaGets): (string | number)[][] {
  const row = (name: string, gets: readonly MeasuredGet[]) => [
    name,
    ...[0.5, 0.95, 0.99].map((share) => Math.round(elapsedPercentile(gets, share))),
    `${percentile(hopsOf(gets), 0.5)} / ${percentile(hopsOf(gets), 0.95)}`,
    `${percentile(requestsOf(gets), 0.5)} / ${percentile(requestsOf(gets), 0.95)}`,
    gets.filter(({ outcome }) => outcome === 'partial').length,
    gets.length,
  ];
  return [
    ['gets, wide area', 'p50 ms', 'p95', 'p99', 'hops p50 / p95', 'requests p50 / p95', 'partial', 'of'],
    row('everybody there', whole),
    row('30 % dead', torn),
  ];
}

const hopsOf = (gets: readonly MeasuredGet[]) => gets.map(({ hops }) => hops);
const requestsOf = (gets: readonly MeasuredGet[]) => gets.map(({ requests }) => requests);
