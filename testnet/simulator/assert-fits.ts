/** Whether this process may take the memory a world needs: better a line before it begins than a crash after an hour of joining. */
import { getHeapStatistics } from 'node:v8';
import { NautilusError } from '../../src/core/index.ts';

/** Heap of a node without its records, bytes: what 1,000 and 10,000 nodes were measured to take, a line through both against log10 N. */
const BYTES = { storing: { base: 24_000, perDecade: 33_400 }, recordless: { base: 16_000, perDecade: 22_800 } };
/** Connections a node of those had open, by the same line; it may have 300. */
const CONNECTIONS = { base: 59, perDecade: 33 };
/** Bytes a node takes less for each of them it may not have open (8,000 nodes with 300 and with 100). */
const CONNECTION_BYTES = 170;
/** V8 leaves holes between what is alive: 100,000 nodes ran in 1.4 times what they kept, and 20,000 in 1.25 times were collected without pause. */
const HEAP_OVER_ALIVE = 1.35;

export interface WorldSize {
  readonly nodes: number;
  readonly isRecordless: boolean;
  /** Of a node, see `WorldOptions`. */
  readonly maxConnections?: number | undefined;
}

/** Bytes that stay alive; records and what hours of churn leave behind come on top of it. */
export function expectedHeapBytes({
  nodes,
  isRecordless,
  maxConnections = Number.POSITIVE_INFINITY,
}: WorldSize): number {
  const { base, perDecade } = isRecordless ? BYTES.recordless : BYTES.storing;
  const decades = Math.log10(nodes);
  const missing = Math.max(0, CONNECTIONS.base + CONNECTIONS.perDecade * decades - maxConnections);
  return nodes * (base + perDecade * decades - CONNECTION_BYTES * missing);
}

/** @param limitBytes of the heap of this process. @throws NautilusError `USAGE`, with how to give it more */
export function assertFits(size: WorldSize, limitBytes = getHeapStatistics().heap_size_limit): void {
  const alive = expectedHeapBytes(size);
  const wanted = HEAP_OVER_ALIVE * alive;
  if (wanted <= limitBytes) return;
  const gigabytes = (count: number) => (count / 1e9).toFixed(1);
  throw new NautilusError(
    'USAGE',
    `${size.nodes} nodes keep some ${gigabytes(alive)} GB alive, want ${gigabytes(wanted)} GB of heap, and this process may use ` +
      `${gigabytes(limitBytes)}: set NODE_OPTIONS=--max-old-space-size=${Math.ceil(wanted / 2 ** 20)}, lower --max-connections, or simulate fewer`,
  );
}
