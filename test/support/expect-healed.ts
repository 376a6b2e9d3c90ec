/** What must be true of a network that was two halves for an hour, in the tests of every run and in the long ones. */
import { expect } from 'vitest';
import { PartitionedWorld, type PartitionOptions } from './partitioned-world.ts';

/** Two refresh periods of ten minutes: by then the halves must be one network. */
const HEALED_MINUTES = 20;
/** Copies that are nobody's business any more are dropped after two rounds of repair. */
const TIDY_MS = 25 * 60_000;

export interface HealedFigures {
  /** Writes while the halves did not hear each other. */
  readonly acknowledged: number;
  readonly refused: number;
  /** After so many minutes tables knew the true K closest, and those all held the same. */
  readonly tables: number | undefined;
  readonly holders: number | undefined;
}

export async function expectHealed(options: PartitionOptions): Promise<HealedFigures> {
  const partitioned = await PartitionedWorld.create(options);
  const { world, writes } = partitioned;
  expect(partitioned.tableOverlap(10)).toBe(1);
  await partitioned.fallApart();
  expect(partitioned.tableOverlap(10)).toBeLessThan(0.8); // they really are two
  const healed = await partitioned.heal(HEALED_MINUTES);
  expect(partitioned.tableOverlap(50)).toBeGreaterThanOrEqual(0.99);
  expect(await partitioned.differences()).toEqual([]);
  expect(world.running.filter(({ replication }) => !replication.isSettled)).toEqual([]);
  expect(await partitioned.wrongGets(1)).toEqual([]);
  await world.run(TIDY_MS);
  expect(await partitioned.differences({ everywhere: true })).toEqual([]);
  return { ...writes, ...healed };
}
