/** A program: simulates the scenario of its second argument from the seed of its first, and prints the fingerprint of the run. */
import { parseScenario } from '../../testnet/scenarios/index.ts';
import { simulate } from '../../testnet/simulator/index.ts';

const [seed = '', scenario = ''] = process.argv.slice(2);
const report = await simulate({ seed, commands: parseScenario(scenario, 'argument') }, { onResult: () => undefined });
process.stdout.write(report.fingerprint);
