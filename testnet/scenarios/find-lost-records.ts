/** The last question of a run: of all that was acknowledged and has not expired, what can nobody find any more? */
import type { ScenarioRun } from './scenario-run.ts';

/** A record is lost when none of so many nodes finds it. */
const READERS = 3;
const CONCURRENCY = 16;

/** @returns the keys. These reads are not among the gets of the figures. */
export async function findLostRecords(run: ScenarioRun): Promise<readonly string[]> {
  const { account, target, lastAudit } = run;
  // No time has passed and nothing has been asked since.
  if (lastAudit?.endedAt === target.clock.monotonic()) return lastAudit.lost;
  const keys = [...account.live(target.clock.now())].values();
  const lost: string[] = [];
  const isFound = async (key: string): Promise<boolean> => {
    for (const reader of run.sample(run.nodesThatAre('running'), READERS)) {
      const versions = account.versions(key);
      const outcome = await target.get(reader, key);
      const newestSeq = Math.max(...versions.filter(({ isDeleted }) => !isDeleted).map(({ seq }) => seq));
      if (outcome.kind === 'found' && outcome.seq >= newestSeq) return true;
    }
    return false;
  };
  const work = async () => {
    for (const key of keys) {
      run.signal.throwIfAborted();
      if (!(await isFound(key))) lost.push(key);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  run.lastAudit = { endedAt: target.clock.monotonic(), lost: lost.sort() };
  return lost;
}
