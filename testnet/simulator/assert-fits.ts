/** Whether this process may take the memory a world needs: better a line before it begins than a crash after an hour of joining. */
import { getHeapStatistics } from 'node:v8';
import { NautilusError } from '../../src/core/index.ts';

/** Heap of a node without its records, bytes: what 1,000 and 10,000 nodes were measured to take, a line through both against log10 N. */
const BYTES = { storing: { base: 24_000, perDecade: 33_400 }, recordless: { base: 16_000, perDecade: 22_800 } };

export interface WorldSize {
  readonly nodes: number;
  readonly isRecordless: boolean;
}

/** Bytes; records and what hours of churn leave behind come on top of it. */
export function expectedHeapBytes({ nodes, isRecordless }: WorldSize): number {
  const { base, perDecade } = isRecordless ? BYTES.recordless : BYTES.storing;
  return nodes * (base + perDecade * Math.log10(nodes));
}

/** @param limitBytes of the heap of this process. @throws NautilusError `USAGE`, with how to give it more */
export function assertFits(size: WorldSize, limitBytes = getHeapStatistics().heap_size_limit): void {
  const bytes = expectedHeapBytes(size);
  if (bytes <= limitBytes) return;
  const gigabytes = (count: number) => (count / 1e9).toFixed(1);
  throw new NautilusError(
    'USAGE',
    `${size.nodes} nodes take some ${gigabytes(bytes)} GB of heap and this process may use ${gigabytes(limitBytes)}: ` +
      `set NODE_OPTIONS=--max-old-space-size=${Math.ceil((1.1 * bytes) / 2 ** 20)}, or simulate fewer`,
  );
}
