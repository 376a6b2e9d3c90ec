/** A directory for one test file, removed when its tests are over. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

let count = 0;

/** @returns makes a path below it that does not exist yet */
export function temporaryDirectory(): (name?: string) => Promise<string> {
  let root: Promise<string> | undefined;
  afterAll(async () => {
    if (root !== undefined) await rm(await root, { recursive: true, force: true });
  });
  return async (name = `d${count++}`) => {
    root ??= mkdtemp(join(tmpdir(), 'nautilus-test-'));
    return join(await root, name);
  };
}
