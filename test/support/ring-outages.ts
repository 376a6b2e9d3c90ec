/**
 * A seed of: three real Redis make a ring, three targets on them are under load, one server is killed and comes back, then one is stopped and goes
 * on. What becomes of every operation is judged; in the end everything that was acknowledged is read.
 */
import { judgeOutage, judgeQuiet, type Outage, type Verdict } from './judge-outage.ts';
import { OutageLoad } from './outage-load.ts';
import { type OutageTarget, openNodeTarget, openStoreTarget } from './outage-target.ts';
import { DURABLE, type RedisServer } from './redis-server.ts';
import { seededChoice } from './seeded-choice.ts';
import { until } from './until.ts';

const SHARDS = [0, 1, 2];
/** Nodes beside the one on the ring. */
const OTHERS = 2;
/** A bound on hanging, not on slow machines. */
const PATIENCE_MS = 180_000;
/** Operations of each target before a shard fails, and while it is away. */
const MANY = [10, 15, 20, 30];

export interface PhaseReport {
  readonly what: 'killed' | 'stopped';
  readonly target: string;
  readonly verdict: Verdict;
  /** From the failure to the open circuit, and from the return to the last hint at home, ms. */
  readonly openMs: number;
  readonly homeMs: number;
  readonly hints: number;
}

export interface SeedReport {
  readonly phases: readonly PhaseReport[];
  /** Records that were acknowledged, over all targets, and a sentence for each that is not read right in the end. */
  readonly records: number;
  readonly problems: readonly string[];
}

export interface OutageTools {
  startRedis(options: readonly string[]): Promise<RedisServer>;
  directory(): Promise<string>;
  /** How much longer outages are than it takes to see one. @default 1 */
  readonly length?: number;
}

export async function runOutages(seed: number, tools: OutageTools): Promise<SeedReport> {
  const { startRedis, directory, length = 1 } = tools;
  const choice = seededChoice(`outage ${seed}`);
  const servers = await Promise.all(SHARDS.map(() => startRedis(DURABLE)));
  const urls = (prefix: string, more = '') =>
    servers.map(({ url }, n) => `${url}?prefix=${prefix}&name=${nameOf(seed, n)}${more}`);
  const [alone, copied, node] = await Promise.all([
    openStoreTarget('store', urls('alone')),
    openStoreTarget('store, ?copies=2', urls('copied', '&copies=2')),
    openNodeTarget('node of three', urls('node'), OTHERS, directory),
  ]);
  // Names decide where keys lie: the node's ring is the store's.
  const isOn = (shard: string) => (key: string) => alone.belongsOn(key, shard);
  const loads = [alone, copied, node].map((target) => new OutageLoad(target, choice));
  await Promise.all(loads.map((load) => load.begin()));

  const phases: PhaseReport[] = [];
  const outages = new Map<OutageTarget, Outage[]>(loads.map(({ target }) => [target, []]));
  for (const what of ['killed', 'stopped'] as const) {
    const n = choice.one(SHARDS);
    const server = servers[n]!;
    const shard = nameOf(seed, n);
    const [before, away] = [choice.one(MANY), length * choice.one(MANY)];
    await untilDone(loads, before);
    const failedAt = performance.now();
    if (what === 'killed') await server.kill();
    else server.pause();
    await Promise.all(loads.map(({ target }) => untilCircuit(target, shard, 'open', failedAt)));
    await untilDone(loads, away);
    const lost = loads[0]!.oldKeys.filter(isOn(shard));
    await Promise.all(loads.flatMap((load) => lost.map((key) => load.get(key))));
    const hints = await Promise.all(loads.map(({ target }) => untilHints(target)));
    const backAt = performance.now();
    if (what === 'killed') await server.start();
    else server.resume();
    const homeAt = await Promise.all(loads.map(({ target }) => untilHome(target)));
    for (const [index, { target, operations }] of loads.entries()) {
      const outage = outageOf(target, shard, failedAt);
      outages.get(target)?.push(outage);
      phases.push({
        what,
        target: target.name,
        verdict: judgeOutage(operations, outage, isOn(shard), target.hasCopies),
        openMs: outage.openedAt - failedAt,
        homeMs: homeAt[index]! - backAt,
        hints: hints[index]!,
      });
    }
  }
  await untilDone(loads, MANY[0]!);
  await Promise.all(loads.map((load) => load.end()));
  await Promise.all(loads.flatMap((load) => load.keys.map((key) => load.get(key))));
  const problems = [
    ...loads.flatMap(({ operations, target }) => judgeQuiet(operations, outages.get(target) ?? [])),
    ...(await Promise.all(loads.map(({ target }) => target.missing()))).flat(),
  ];
  await Promise.all(loads.map(({ target }) => target.close()));
  return { phases, records: loads.reduce((sum, { keys }) => sum + keys.length, 0), problems };
}

function nameOf(seed: number, n: number): string {
  return `redis-${seed}-${n}`;
}

/** As many more operations of each. */
async function untilDone(loads: readonly OutageLoad[], count: number): Promise<void> {
  await Promise.all(
    loads.map(({ operations, target }) => {
      const goal = operations.length + count;
      const look = () => operations.length >= goal || undefined;
      return until(`${count} operations of the ${target.name} are done`, look, PATIENCE_MS);
    }),
  );
}

function untilCircuit(target: OutageTarget, shard: string, state: string, since: number): Promise<number> {
  const look = () => target.circuits.find((each) => each.shard === shard && each.state === state && each.at >= since);
  return until(`the circuit of ${shard} is ${state} at the ${target.name}`, () => look()?.at, PATIENCE_MS);
}

/** @returns performance.now() when it had nothing to catch up with */
function untilHome(target: OutageTarget): Promise<number> {
  const look = async () => {
    const shards = await target.shards();
    return shards.every(({ state, hints }) => state === 'up' && hints === 0) ? performance.now() : undefined;
  };
  return until(`all hints of the ${target.name} are home`, look, PATIENCE_MS);
}

/** @returns how many */
function untilHints(target: OutageTarget): Promise<number> {
  const look = async () => (await target.shards()).reduce((sum, { hints }) => sum + hints, 0) || undefined;
  return until(`a write of the ${target.name} waits as a hint`, look, PATIENCE_MS);
}

function outageOf(target: OutageTarget, shard: string, failedAt: number): Outage {
  const changes = target.circuits.filter((each) => each.shard === shard && each.at >= failedAt);
  const openedAt = changes.find(({ state }) => state === 'open')?.at;
  const closedAt = changes.findLast(({ state }) => state === 'closed')?.at;
  if (openedAt === undefined || closedAt === undefined) throw new Error(`the circuit of ${shard} has not closed`);
  return { failedAt, openedAt, closedAt };
}
