/** What `sim` and `testnet run` have in common: the seed that is said first, a factor on the command line, and how asserts that failed are told. */
import { randomInt } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import type { Output } from './output.ts';

/** An assert of the scenario did not hold. */
const ASSERT_FAILED = 1;

/** @returns the one given, or a random one */
export async function announceSeed(output: Output, given: string | undefined): Promise<string> {
  const seed = given ?? String(randomInt(2 ** 32));
  await output.line(`seed ${seed}`);
  await output.object({ type: 'seed', seed });
  return seed;
}

export function tellFailures(output: Output, failures: readonly string[]): void {
  for (const failure of failures) output.note(failure);
  if (failures.length > 0) output.countFailure(ASSERT_FAILED);
}

export function positiveNumber(text: string): number {
  const number = /^\d{1,5}(?:\.\d{1,15})?$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw new InvalidArgumentError('It is not a number over 0.');
}
