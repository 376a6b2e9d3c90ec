/** The ten rounds of durability.test.ts that take too long for every run. */
import { describe, expect, it } from 'vitest';
import { killDuringBatches } from '../support/kill-during-batch.ts';
import { nodeStarter } from '../support/running-node.ts';
import { seededChoice } from '../support/seeded-choice.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ROUNDS = 10;
const directory = temporaryDirectory();
const startNode = nodeStarter();

describe('a node that is killed in the middle of a batch', () => {
  it('has every acknowledged record when it starts again, ten times in a row', async () => {
    const rounds = await killDuringBatches(ROUNDS, await directory(), startNode, seededChoice());
    expect(rounds.flatMap(({ missing }) => missing)).toEqual([]);
    expect(rounds.filter(({ killedMidway, acknowledged }) => killedMidway && acknowledged > 0)).toHaveLength(ROUNDS);
  });
});
