/**
 * A process that offers records of 256 B to a memory storage until all were offered, and tells what that cost it. Its own, because a test runner's
 * memory says nothing about a storage's. Run with --expose-gc. Arguments: records, limit in bytes.
 */
import { setTimeout } from 'node:timers/promises';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { openStorage } from '../../src/registry/index.ts';

export interface Filled {
  readonly stored: number;
  readonly refused: number;
  /** What the storage says of itself. */
  readonly bytes: number;
  /** Of the process, garbage excluded. */
  readonly growthBytes: number;
}

const KEY_BYTES = 64;
const VALUE_BYTES = 256;
/** Enough that what is compiled and allocated once is not in the figure. */
const WARM_UP = { records: 20_000, maxBytes: 1_000_000 };

const [records = 0, maxBytes = 0] = process.argv.slice(2).map(Number);
await fill(WARM_UP.records, WARM_UP.maxBytes);
const before = await residentBytes();
const { storage, stored, refused } = await fill(records, maxBytes);
const after = await residentBytes();
const { bytes } = await storage.size();
process.send?.({ stored, refused, bytes, growthBytes: after - before } satisfies Filled);

async function fill(count: number, limit: number) {
  const storage = await openStorage(`memory:?maxBytes=${limit}`, {
    dataDir: '/nowhere',
    clock: systemClock,
    observer: SILENT_OBSERVER,
  });
  const expiresAt = systemClock.now() + 3_600_000;
  let stored = 0;
  for (let n = 0; n < count; n++) {
    const key = new Uint8Array(KEY_BYTES);
    new DataView(key.buffer).setUint32(0, Math.imul(n, 0x9e3779b1));
    new DataView(key.buffer).setUint32(4, n);
    const entry = { value: new Uint8Array(VALUE_BYTES).fill(n), version: 1, expiresAt };
    const { kind } = await storage.storeIf({ key, expected: 'absent', entry });
    if (kind === 'stored') stored++;
  }
  return { storage, stored, refused: count - stored };
}

/** The collector gives pages back a little later: the smallest of a few looks. */
async function residentBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 5; look++) {
    globalThis.gc?.();
    await setTimeout(50);
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}
