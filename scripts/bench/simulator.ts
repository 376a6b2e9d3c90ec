/**
 * How fast the simulator is: N nodes join, then an hour passes in which nodes are killed and come back with their disks, at the rate of measured
 * networks. The hour is what counts, in virtual time per CPU second (what else the machine does is not the simulator's speed); the joins stand
 * apart. Frames go through the real codec. Usage: npm run bench:sim -- [--nodes 10000] [--minutes 60] [--seed S] [--no-churn]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isNautilusError, sleep } from '../../src/core/index.ts';
import { World } from '../../testnet/simulator/world.ts';

const GOAL_TIMES_REAL = 5;
/** The size the goal was set for. */
const GOAL_NODES = 10_000;
/** Mean session: what Weibull sessions of shape 0.5 and median 2 h come to. */
const MEAN_SESSION_MS = 8.3 * 3_600_000;
const MEAN_ABSENCE_MS = 10 * 60_000;
const PROGRESS_STEPS = 20;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { nodes: text, minutes: text, seed: text, churn: { type: 'boolean', default: true } },
  allowNegative: true,
});
const nodes = positive('nodes', values.nodes ?? '10000');
const minutes = positive('minutes', values.minutes ?? '60');
const seed = values.seed ?? String(randomInt(2 ** 32));
print(`seed ${seed}`);

const beforeJoin = cpuSeconds();
const world = await World.create({ seed, nodes, onProgress: (done) => progress(`joined ${done} of ${nodes}`) });
progress('');
const joined = snapshot();
print(`joined: ${(joined.cpu - beforeJoin).toFixed(1)} s of CPU, ${perNode(joined.frames)} frames a node`);

let killed = 0;
if (values.churn) void churn();
for (let step = 1; step <= PROGRESS_STEPS; step++) {
  await world.run((minutes * 60_000) / PROGRESS_STEPS);
  progress(`${((minutes * step) / PROGRESS_STEPS).toFixed(0)} of ${minutes} min, ${killed} nodes killed`);
}
progress('');
const passed = snapshot();

const cpu = passed.cpu - joined.cpu;
const frames = passed.frames - joined.frames;
const timesReal = (minutes * 60) / cpu;
print(String(world));
console.table({
  nodes,
  'virtual minutes': minutes,
  'nodes killed': killed,
  'CPU s': Number(cpu.toFixed(1)),
  'virtual time / CPU time': Number(timesReal.toFixed(2)),
  'events / CPU s': Math.round((passed.events - joined.events) / cpu),
  'CPU µs / frame': Number(((cpu / frames) * 1e6).toFixed(1)),
  'frames / node and hour': Math.round((frames / nodes / minutes) * 60),
  'bytes / node and s': Math.round((passed.bytes - joined.bytes) / nodes / minutes / 60),
  'connections / node': Number(perNode(passed.connections)),
  'peak RSS MiB': Math.round(process.resourceUsage().maxRSS / 1024),
  'RSS kB / node': Math.round(passed.rssBytes / 1024 / nodes),
});
if (nodes === GOAL_NODES) {
  const isMet = timesReal >= GOAL_TIMES_REAL;
  print(`at least ${GOAL_TIMES_REAL} × faster than real time on one core: ${isMet ? 'met' : 'MISSED'}`);
  process.exitCode = isMet ? 0 : 1;
}

/** Kills a random node about every `MEAN_SESSION_MS / nodes`; each comes back. It ends with the world; what goes wrong fails the seed. */
async function churn(): Promise<never> {
  const random = world.random.fork('churn');
  const wait = (meanMs: number) => sleep(world.clock, -Math.log(1 - random.next()) * meanMs);
  for (;;) {
    await wait(MEAN_SESSION_MS / nodes);
    if (world.running.length === 1) continue;
    const node = random.pick(world.running);
    node.kill();
    killed++;
    void wait(MEAN_ABSENCE_MS).then(() => comeBack(node, random));
  }
}

async function comeBack(node: World['nodes'][number], random: World['random']): Promise<void> {
  const introducer = random.pick(world.running);
  await node.start();
  try {
    await node.join(introducer.self);
  } catch (error) {
    if (!isNautilusError(error)) throw error; // killed again meanwhile, or the introducer was: its saved table brings it back
  }
}

function snapshot() {
  const { network, clock } = world;
  const bytes = network.traffic.table().reduce((sum, purpose) => sum + purpose.bytes, 0);
  const connections = world.running.reduce((sum, node) => sum + node.life.transport.peers().length, 0);
  const rssBytes = process.memoryUsage.rss();
  return { cpu: cpuSeconds(), frames: network.trace.frames, events: clock.eventsFired, bytes, connections, rssBytes };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function perNode(count: number): string {
  return (count / nodes).toFixed(1);
}

function positive(name: string, given: string): number {
  const value = Number(given);
  if (value >= 1 && value <= 1e6) return value;
  throw new Error(`--${name} ${given} is not a number from 1 to 1000000`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line that is written over; only where somebody watches. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
