/**
 * How fast the simulator is: N nodes join, then an hour passes in which nodes come and go as they do in measured networks (Weibull sessions of
 * median 2 h). The hour is what counts, in virtual time per CPU second (what else the machine does is not the simulator's speed); the joins stand
 * apart. Frames go through the real codec. Usage: npm run bench:sim -- [--nodes 10000] [--minutes 60] [--seed S] [--no-churn]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Churn } from '../../testnet/simulator/churn.ts';
import { World } from '../../testnet/simulator/world.ts';

const GOAL_TIMES_REAL = 5;
/** The size the goal was set for. */
const GOAL_NODES = 10_000;
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

const churn = new Churn(world);
if (values.churn) churn.start();
for (let step = 1; step <= PROGRESS_STEPS; step++) {
  await world.run((minutes * 60_000) / PROGRESS_STEPS);
  progress(`${((minutes * step) / PROGRESS_STEPS).toFixed(0)} of ${minutes} min, ${ended()} nodes ended`);
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
  'nodes ended': ended(),
  'nodes returned': churn.counts.returned,
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

function ended(): number {
  const { killed, vanished, stopped } = churn.counts;
  return killed + vanished + stopped;
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
