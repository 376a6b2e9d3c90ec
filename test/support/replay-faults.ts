/** A program: runs one seed of the random faults again, saying what is done to its world. */
import { runRandomFaults } from './random-faults.ts';

const [seed] = process.argv.slice(2);
if (seed === undefined) throw new Error('which seed? npm run replay SEED');
const say = (text: string) => process.stdout.write(`${text}\n`);
say(`seed ${seed}`);
say(String(await runRandomFaults(seed, { onStep: say })));
