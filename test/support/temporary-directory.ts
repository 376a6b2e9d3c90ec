/** A directory for one test file, removed when its tests are over. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

let count = 0;

/** @param base where to make it @returns makes a path below it that does not exist yet */
export function temporaryDirectory(base = tmpdir()): (name?: string) => Promise<string> {
  let root: Promise<string> | undefined;
  afterAll(async () => {
    if (root !== undefined) await rm(await root, { recursive: true, force: true });
  });
  return async (name = `d${count++}`) => {
    root ??= mkdtemp(join(base, 'nautilus-test-'));
    return join(await root, name);
  };
}
