/**
 * How fast and how large the simulator is: N nodes join, some minutes pass in which nothing happens to them, then an hour in which nodes come and
 * go as they do in measured networks (Weibull sessions, shape 0.5, median 2 h). Speed is node-seconds of virtual time per second of CPU: what else
 * the machine does is not the simulator's. Frames go through the real codec. The build is measured, as `nautilus sim` runs it.
 * Usage: npm run bench:sim -- [--nodes 10000] [--steady 10] [--churn 60] [--connections 300] [--seed S]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type * as churns from '../../testnet/simulator/churn.ts';
import type * as worlds from '../../testnet/simulator/world.ts';

/** The goals are those of worlds from this size on. */
const GOAL_NODES = 10_000;
/** So many nodes five times faster than real time. */
const GOAL_NODE_SECONDS = 50_000;
/** A hundred thousand nodes within 16 GB. */
const GOAL_NODE_BYTES = 160_000;
const PROGRESS_STEPS = 20;

const number = { type: 'string' } as const;
const { values } = parseArgs({
  options: { nodes: number, steady: number, churn: number, connections: number, seed: number },
});
const nodes = positive('nodes', values.nodes ?? '10000');
const steadyMinutes = positive('steady', values.steady ?? '10');
const churnMinutes = positive('churn', values.churn ?? '60');
const maxConnections = positive('connections', values.connections ?? '300');
const seed = values.seed ?? String(randomInt(2 ** 32));
print(`seed ${seed}`);

// tsx gives every closure its name again when it is made: a fifth of the time of what makes a closure for everything it waits for.
const built = new URL('../../dist/testnet/simulator/', import.meta.url);
const { World }: typeof worlds = await import(new URL('world.js', built).href);
const { Churn }: typeof churns = await import(new URL('churn.js', built).href);

const heapBefore = heapBytes();
const cpuBefore = cpuSeconds();
const onProgress = (done: number) => progress(`joined ${done} of ${nodes}`);
const world = await World.create({ seed, nodes, maxConnections, onProgress });
const joinCpu = cpuSeconds() - cpuBefore;
progress('');
print(`${nodes} nodes have joined: ${joinCpu.toFixed(1)} s of CPU, ${((joinCpu / nodes) * 1000).toFixed(1)} ms a node`);

const steady = await pass('in peace', steadyMinutes);
const nodeBytes = (heapBytes() - heapBefore) / nodes;
const connections = world.running.reduce((sum, node) => sum + node.life.transport.peers().length, 0);
const churn = new Churn(world);
churn.start();
const churning = await pass('with churn', churnMinutes);
churn.stop();
progress('');

const { killed, vanished, stopped, returned } = churn.counts;
print(String(world));
print(`${killed + vanished + stopped} nodes ended, ${returned} returned`);
console.table({ 'in peace': steady.figures, 'with churn': churning.figures });
console.table(
  Object.fromEntries(
    world.network.traffic
      .table()
      .map(({ purpose }) => [
        `${purpose} per node and minute`,
        { 'in peace': steady.perNodeMinute(purpose), 'with churn': churning.perNodeMinute(purpose) },
      ]),
  ),
);
print(`${(nodeBytes / 1000).toFixed(1)} kB of heap a node with ${(connections / nodes).toFixed(0)} connections`);
print(`peak RSS ${(process.resourceUsage().maxRSS / 1024 ** 2).toFixed(2)} GiB`);
if (nodes >= GOAL_NODES) {
  verdict(`node-seconds per CPU second with churn, at least ${GOAL_NODE_SECONDS}`, churning.speed >= GOAL_NODE_SECONDS);
  verdict(`heap bytes a node, at most ${GOAL_NODE_BYTES}`, nodeBytes <= GOAL_NODE_BYTES);
}

/** Lets time pass and says what it cost. */
async function pass(how: string, minutes: number) {
  const { network, clock } = world;
  const before = { cpu: cpuSeconds(), frames: network.trace.frames, events: clock.eventsFired, sent: sentByPurpose() };
  for (let step = 1; step <= PROGRESS_STEPS; step++) {
    await world.run((minutes * 60_000) / PROGRESS_STEPS);
    progress(`${how}: ${((minutes * step) / PROGRESS_STEPS).toFixed(1)} of ${minutes} min`);
  }
  const cpu = cpuSeconds() - before.cpu;
  const frames = network.trace.frames - before.frames;
  const sent = sentByPurpose();
  const nodeSeconds = nodes * minutes * 60;
  return {
    speed: nodeSeconds / cpu,
    figures: {
      minutes,
      'CPU s': round(cpu, 1),
      'node-seconds / CPU s': Math.round(nodeSeconds / cpu),
      'times real time': round((minutes * 60) / cpu, 2),
      'events / node-second': round((clock.eventsFired - before.events) / nodeSeconds, 3),
      'frames / node-second': round(frames / nodeSeconds, 3),
      'CPU µs / frame': round((cpu / frames) * 1e6, 1),
    },
    perNodeMinute: (purpose: string) =>
      round((((sent.get(purpose) ?? 0) - (before.sent.get(purpose) ?? 0)) / nodeSeconds) * 60, 2),
  };
}

function sentByPurpose(): ReadonlyMap<string, number> {
  return new Map(world.network.traffic.table().map(({ purpose, frames }) => [purpose, frames]));
}

/** Collected twice: the first time finishes what was begun before, and keeps what died meanwhile (up to an eighth of the heap). */
function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function verdict(goal: string, isMet: boolean): void {
  print(`${goal}: ${isMet ? 'met' : 'MISSED'}`);
  if (!isMet) process.exitCode = 1;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function positive(name: string, given: string): number {
  const value = Number(given);
  if (value > 0 && value <= 1e6) return value;
  throw new Error(`--${name} ${given} is not a number above 0 and up to 1000000`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line that is written over; only where somebody watches. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
