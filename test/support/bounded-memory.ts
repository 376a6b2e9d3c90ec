/** Fills a memory storage far beyond its limit, in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Filled } from './fill-memory.ts';

/** What the process may grow by, as a multiple of what the storage was allowed. */
const GROWTH = 1.5;

export async function expectBounded(records: number, maxBytes: number): Promise<void> {
  const child = fork(fileURLToPath(new URL('fill-memory.ts', import.meta.url)), [String(records), String(maxBytes)], {
    // With the young generation a node has: what it grows to (some 30 MB, full or not) is in the figure, so that a limit must be large beside it.
    execArgv: ['--expose-gc', '--import', 'tsx'],
  });
  const exited = once(child, 'exit');
  const filled = (await Promise.race([
    once(child, 'message').then(([message]) => message),
    exited.then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
  ])) as Filled;
  await exited;
  expect(filled.stored + filled.refused).toBe(records);
  expect(filled.refused).toBeGreaterThan(records / 2);
  expect(filled.bytes).toBeLessThanOrEqual(maxBytes);
  // Full means full, not half empty.
  expect(filled.bytes).toBeGreaterThan(0.99 * maxBytes);
  expect(filled.growthBytes, JSON.stringify(filled)).toBeLessThanOrEqual(GROWTH * maxBytes);
}
