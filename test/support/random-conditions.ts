/** What a seed's world is like before anything goes wrong in it: how many nodes, how far apart, how wide their lines, how right their clocks. */
import { DEFAULT_NETWORK_CONSTANTS } from '../../src/records/index.ts';
import {
  constantLatency,
  type LatencyModel,
  logNormalLatency,
  normalLatency,
  type SeededRandom,
  uniformLatency,
  wideAreaLatency,
} from '../../testnet/simulator/index.ts';
import type { WorldOptions } from '../../testnet/simulator/world.ts';

export interface RandomConditions {
  readonly options: WorldOptions;
  /** Nobody who is up is ever out of reach: no partition, no loss, nobody stopped. */
  readonly isCalm: boolean;
  /** Nodes that are there from the start; the others join later. */
  readonly atFirst: number;
  /** What was drawn, for the tally. */
  readonly kinds: readonly string[];
}

const MINUTE = 60_000;

export function drawConditions(seed: string, random: SeededRandom): RandomConditions {
  const isCalm = random.chance(0.4);
  const nodes = 4 + random.integer(10);
  const atFirst = Math.max(3, nodes - random.integer(nodes >> 1));
  const { name, latency } = drawLatency(seed, random);
  const k = random.pick([3, 5, 20]);
  const forgetsFloors = random.chance(0.2);
  const isNarrow = !isCalm && random.chance(0.25);
  const kinds = [isCalm ? 'world: calm' : 'world: stormy', `world: latency ${name}`, `world: K ${k}`];
  if (forgetsFloors) kinds.push('world: floors are forgotten within the run');
  if (isNarrow) kinds.push('world: narrow and slow machines');
  return {
    isCalm,
    atFirst,
    kinds,
    options: {
      seed,
      nodes,
      joined: false,
      constants: { k, maxTtlMs: forgetsFloors ? 5 * MINUTE : DEFAULT_NETWORK_CONSTANTS.maxTtlMs },
      conditions: { latency, limitsOf: isNarrow ? narrow : undefined },
      clockErrorOf: (_, own) => ({ skewMs: (own.next() - 0.5) * 4_000, driftPpm: (own.next() - 0.5) * 200 }),
      disk: { flushMs: random.chance(0.5) ? 1 + random.integer(10) : [1, 30] },
    },
  };
}

/** A third of the machines, with a line of a modem's kind. */
function narrow(number: number) {
  if (number % 3 !== 0) return undefined;
  return {
    uploadBytesPerSecond: 8_000,
    downloadBytesPerSecond: 20_000,
    queueBytes: 2_000,
    serviceMs: 20,
    queueFrames: 6,
  };
}

function drawLatency(seed: string, random: SeededRandom): { readonly name: string; readonly latency: LatencyModel } {
  switch (random.integer(5)) {
    case 0:
      return { name: 'constant', latency: constantLatency(1 + random.integer(40)) };
    case 1:
      return { name: 'normal', latency: normalLatency(5 + random.integer(40), 5) };
    case 2:
      return { name: 'log-normal', latency: logNormalLatency(5 + random.integer(60), 0.4) };
    case 3:
      return { name: 'uniform: frames overtake each other', latency: uniformLatency(1, 20 + random.integer(150)) };
    default:
      return { name: 'wide-area: asymmetric', latency: wideAreaLatency({ seed }) };
  }
}
