/**
 * A process made to be killed: writes batches without end, four at a time, and says on stdout which of them were acknowledged. Works on the
 * compiled build, as nodes do. Arguments: directory, number of the first batch.
 */
import { openStorage } from '../../dist/src/registry/index.js';

const [directory, first] = process.argv.slice(2);
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: () => ({ cancel: () => undefined }),
};
const storage = await openStorage(`lmdb:${directory}`, { dataDir: directory, clock });

let next = Number(first);
async function writeOn() {
  for (;;) {
    const batch = next++;
    const operations = Array.from({ length: 50 }, (_, index) => ({
      key: Uint8Array.of(batch >> 8, batch & 255, index),
      expected: 'absent',
      entry: { value: new Uint8Array(200 + index).fill(batch), version: batch + 1, expiresAt: Number.MAX_SAFE_INTEGER },
    }));
    const outcomes = await storage.storeIfBatch(operations);
    if (outcomes.some(({ kind }) => kind !== 'stored')) throw new Error(`batch ${batch} met entries that were there`);
    process.stdout.write(`${batch}\n`);
  }
}
await Promise.all([writeOn(), writeOn(), writeOn(), writeOn()]);
