/** Random choices of a test that can be made again: NAUTILUS_TEST_SEED, or a new seed, which is printed first. */
import { createHash, randomBytes } from 'node:crypto';

export interface SeededChoice {
  /** `count` different items, in random order. */
  some<T>(items: readonly T[], count: number): T[];
  one<T>(items: readonly T[]): T;
}

/** @param given for tests that run a seed of their own choice, and name it */
export function seededChoice(given?: string): SeededChoice {
  const seed = given ?? process.env.NAUTILUS_TEST_SEED ?? randomBytes(4).toString('hex');
  if (given === undefined) process.stdout.write(`NAUTILUS_TEST_SEED=${seed}\n`);
  let drawn = 0;
  const below = (limit: number) => {
    drawn += 1;
    return createHash('sha256').update(`${seed}/${drawn}`).digest().readUInt32BE() % limit;
  };
  const some = <T>(items: readonly T[], count: number): T[] => {
    const left = [...items];
    return Array.from({ length: Math.min(count, left.length) }, () => left.splice(below(left.length), 1)[0] as T);
  };
  return { some, one: (items) => some(items, 1)[0] as (typeof items)[number] };
}
