/** What was acknowledged survives kill -9 in the middle of a batch. More rounds: durability.long.ts. */
import { describe, expect, it } from 'vitest';
import { killDuringBatches } from '../support/kill-during-batch.ts';
import { nodeStarter } from '../support/running-node.ts';
import { seededChoice } from '../support/seeded-choice.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const startNode = nodeStarter();

describe('a node that is killed in the middle of a batch', { timeout: 120_000 }, () => {
  it('has every acknowledged record when it starts again, three times in a row', async () => {
    const rounds = await killDuringBatches(3, await directory(), startNode, seededChoice());
    expect(rounds.map(({ missing }) => missing)).toEqual([[], [], []]);
    expect(rounds.map(({ killedMidway, acknowledged }) => killedMidway && acknowledged > 0)).toEqual([
      true,
      true,
      true,
    ]);
  });
});
