/**
 * Runs one world from the command line: `npx tsx testnet/simulator/main.ts --nodes 1000 --seed 7 --lookups 500`. The same arguments print the
 * same figures, but for the last line, which is about the machine.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type SimulationSettings, simulate } from './simulate.ts';

const USAGE = `usage: main.ts [--seed S] [--nodes N] [--lookups N] [--latency MEDIAN_MS] [--sigma S] [--loss SHARE] [--kill SHARE]
  --nodes    how many nodes join, one network (default 1000)
  --seed     what everything follows from (default: a random one, printed first)
  --lookups  random lookups after the joins (default 500)
  --latency  one way, median in ms (default 20); --sigma of its log-normal spread (default 0.4)
  --loss     share of frames that vanish (default 0)
  --kill     share of nodes killed before the lookups (default 0)
`;

/** @throws Error with one line about what cannot be understood */
function readSettings(args: readonly string[]): SimulationSettings {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seed: text, nodes: text, lookups: text, latency: text, sigma: text, loss: text, kill: text },
  });
  const number = (name: Exclude<keyof typeof values, 'seed'>, fallback: number, min: number, max: number): number => {
    const value = Number(values[name] ?? fallback);
    if (value >= min && value <= max) return value;
    throw new Error(`--${name} ${values[name]} is not a number from ${min} to ${max}`);
  };
  return {
    seed: values.seed ?? String(randomInt(2 ** 32)),
    nodes: Math.floor(number('nodes', 1000, 1, 1e6)),
    lookups: Math.floor(number('lookups', 500, 1, 1e9)),
    medianLatencyMs: number('latency', 20, 0, 60_000),
    sigma: number('sigma', 0.4, 0, 10),
    loss: number('loss', 0, 0, 1),
    kill: number('kill', 0, 0, 0.99),
  };
}

/** One line that is written over; only where somebody watches. */
function progress(verb: string, done: number, total: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done < total ? `${verb} ${done} of ${total}` : ''}`);
}

let settings: SimulationSettings | undefined;
try {
  settings = readSettings(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
if (settings !== undefined) await simulate(settings, { write: (text) => process.stdout.write(text), progress });
