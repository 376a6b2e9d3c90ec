/** One run from a scenario and a seed to its report: the world, what happens to it, and the figures at the end. */
import { untilAborted } from '../../src/core/index.ts';
import {
  isRecordless,
  nodesNeeded,
  runScenario,
  type ScenarioCommand,
  type ScenarioOutput,
  type ScenarioReport,
} from '../scenarios/index.ts';
import type { YardstickFigures } from './repair-yardstick.ts';
import { SimulatedTarget } from './simulated-target.ts';
import { World } from './world.ts';

export interface Simulation {
  readonly seed: string;
  readonly commands: readonly ScenarioCommand[];
  /** Of a node, see `WorldOptions`. */
  readonly maxConnections?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for every node that has started and joined, the first time and again. */
  readonly onJoined?: (() => void) | undefined;
}

export interface SimulationReport extends ScenarioReport {
  readonly seed: string;
  /** Bytes that reached each node, by its number. */
  readonly bytesReceived: readonly number[];
  /** What keeping the records whole would have cost by other means. */
  readonly yardstick: YardstickFigures;
  /** The world in one line; the same seed and commands give the same. */
  readonly fingerprint: string;
}

/** A scenario ends when its commands do; the world has no other limit on it. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/** @throws NautilusError `USAGE` for a command that cannot be done; the signal's reason */
export async function simulate(simulation: Simulation, output: ScenarioOutput): Promise<SimulationReport> {
  const { seed, commands, maxConnections, signal, onJoined } = simulation;
  const world = await World.create({
    seed,
    nodes: nodesNeeded(commands),
    joined: false,
    storing: !isRecordless(commands),
    maxConnections,
  });
  const target = new SimulatedTarget(world, onJoined);
  // A command may take hours of joining: it is left where it is.
  const scenario = () => untilAborted(runScenario(commands, target, output, { signal }), signal);
  const report = await world.do(scenario, NO_LIMIT);
  const { trace } = world.network;
  return {
    ...report,
    seed,
    yardstick: target.measureRepair(),
    bytesReceived: world.nodes.map(({ number }) => trace.bytesTo(number)),
    fingerprint: String(world),
  };
}
