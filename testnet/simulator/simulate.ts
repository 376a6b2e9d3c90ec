/** One run from settings to figures: the network joins, what is asked for goes wrong, random keys are looked up and held against the oracle. */
import { formatTable } from './format-table.ts';
import { logNormalLatency } from './latency.ts';
import { type MeasuredLookup, measureLookups } from './measure-lookups.ts';
import { percentile } from './percentile.ts';
import { World } from './world.ts';

export interface SimulationSettings {
  readonly seed: string;
  readonly nodes: number;
  readonly lookups: number;
  /** One way, ms. */
  readonly medianLatencyMs: number;
  /** Of the log-normal latency. */
  readonly sigma: number;
  /** Share of frames that vanish, 0 … 1. */
  readonly loss: number;
  /** Share of nodes killed before the lookups, 0 … 1. */
  readonly kill: number;
}

export interface SimulationOutput {
  /** The report, whole lines. */
  write(text: string): void;
  progress(verb: string, done: number, total: number): void;
}

export async function simulate(settings: SimulationSettings, output: SimulationOutput): Promise<void> {
  const { seed, nodes, lookups, medianLatencyMs, sigma, loss, kill } = settings;
  output.write(`seed ${seed}\n`);
  const cpuBefore = process.cpuUsage();
  const world = await World.create({
    seed,
    nodes,
    conditions: { latency: logNormalLatency(medianLatencyMs, sigma), lossRate: loss },
    onProgress: (done, total) => output.progress('joined', done, total),
  });
  for (const node of world.random.fork('kill').sample(world.nodes, Math.floor(kill * nodes))) node.kill();
  const measured = await measureLookups(world, {
    count: lookups,
    onProgress: (done, total) => output.progress('looked up', done, total),
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system) / 1e6;
  const tables = [summarizeLookups(measured), summarizeTraffic(world), String(world)];
  output.write(`${tables.join('\n\n')}\n${summarizeSpeed(world, cpuSeconds)}\n`);
}

function summarizeLookups(measured: readonly MeasuredLookup[]): string {
  const row = (name: string, figure: (lookup: MeasuredLookup) => number, digits: number) => {
    const values = measured.map(figure);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [name, ...[0, 0.5, 0.95, 0.99, 1].map((share) => percentile(values, share)), mean].map((cell) =>
      typeof cell === 'number' ? cell.toFixed(digits) : cell,
    );
  };
  return formatTable([
    ['lookup', 'min', 'p50', 'p95', 'p99', 'max', 'mean'],
    row('overlap', ({ overlap }) => overlap, 4),
    row('hops', ({ hops }) => hops, 1),
    row('requests', ({ requests }) => requests, 1),
    row('elapsed ms', ({ elapsedMs }) => elapsedMs, 0),
  ]);
}

function summarizeTraffic({ network, nodes }: World): string {
  const rows = network.traffic.table().map(({ purpose, frames, bytes }) => {
    return [purpose, frames, (frames / nodes.length).toFixed(1), Math.round(bytes / nodes.length)];
  });
  return formatTable([['sent', 'frames', 'per node', 'bytes per node'], ...rows]);
}

/** The only line that differs from run to run. In CPU time: what else this machine does is not the simulator's speed. */
function summarizeSpeed({ clock }: World, cpuSeconds: number): string {
  const eventsPerSecond = Math.round(clock.eventsFired / cpuSeconds);
  const ratio = (clock.monotonic() / 1000 / cpuSeconds).toFixed(2);
  return `${cpuSeconds.toFixed(1)} s of CPU on this machine: ${eventsPerSecond} events/s, ${ratio} × real time`;
}
