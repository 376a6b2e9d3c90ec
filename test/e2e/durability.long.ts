/** The twenty rounds of durability.test.ts that take too long for every run. */
import { describe, expect, it } from 'vitest';
import { recordFigure } from '../support/figures.ts';
import { killDuringBatches } from '../support/kill-during-batch.ts';
import { nodeStarter } from '../support/running-node.ts';
import { seededChoice } from '../support/seeded-choice.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ROUNDS = 20;
const directory = temporaryDirectory();
const startNode = nodeStarter();

describe('a node that is killed in the middle of a batch', () => {
  it('has every acknowledged record when it starts again, twenty times in a row', async () => {
    const rounds = await killDuringBatches(ROUNDS, await directory(), startNode, seededChoice());
    const acknowledgedInAll = rounds.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    const missing = rounds.flatMap((round) => round.missing);
    recordFigure(
      `kill -9 during a batch, ${ROUNDS} rounds`,
      `${acknowledgedInAll} records acknowledged, ${missing.length} missing`,
    );
    expect(missing).toEqual([]);
    expect(rounds.filter(({ killedMidway, acknowledged }) => killedMidway && acknowledged > 0)).toHaveLength(ROUNDS);
  });
});
