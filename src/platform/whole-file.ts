/** Files that appear with their whole content or not at all, whenever the process or the machine stops. Readable by their owner only. */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** @returns false, and nothing is changed, when `path` exists. Needs hard links: rename(2) would replace what another process just made. */
export async function createWholeFile(path: string, content: string): Promise<boolean> {
  return withTemporary(path, content, async (temporary) => {
    try {
      await link(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  });
}

export async function replaceWholeFile(path: string, content: string): Promise<void> {
  await withTemporary(path, content, (temporary) => rename(temporary, path));
}

async function withTemporary<T>(path: string, content: string, publish: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    const result = await publish(temporary);
    await syncDirectory(dirname(path));
    return result;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A new name is on the disk only once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return; // directories cannot be opened there
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
