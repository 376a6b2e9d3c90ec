/**
 * The directory of one LMDB storage: private to its owner, and with a note left at a clean stop. A data file that the note does not describe
 * (killed, copied, restored, cut) is checked before it is mapped. Not here: keeping two processes out, which the data directory's lock does.
 */
import { access, chmod, constants, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNautilusError, NautilusError } from '../../core/index.ts';
import { checkLmdb } from './lmdb-check.ts';

const CLEAN_NOTE = 'closed-cleanly.json';
const PERMISSION_CODES = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG']);

export interface LmdbDirectory {
  readonly path: string;
  readonly dataFile: string;
}

/**
 * Makes the directory if need be and sees that what lies in it can be opened without harm.
 * @throws NautilusError `DATA_DIR_UNUSABLE`, `STORAGE_DAMAGED`, `DISK_FULL`
 */
export async function prepareLmdbDirectory(path: string, signal?: AbortSignal): Promise<LmdbDirectory> {
  const directory = { path, dataFile: join(path, 'data.mdb') };
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const size = await claim(directory.dataFile);
    if (size > 0 && !(await isCleanlyClosed(directory))) await refuseDamaged(directory, signal);
    await rm(join(path, CLEAN_NOTE), { force: true });
    await syncDirectory(path);
    return directory;
  } catch (error) {
    throw toDirectoryError(path, error);
  }
}

/** Leaves the note that spares the next start its check. */
export async function noteCleanClose({ path, dataFile }: LmdbDirectory): Promise<void> {
  await writeFile(join(path, CLEAN_NOTE), await fingerprint(dataFile), { mode: 0o600 });
}

/** A failure of the directory itself in words for its owner; other errors come back as they are. */
export function toDirectoryError(path: string, error: unknown): unknown {
  if (isNautilusError(error)) return error;
  const code = errorCode(error);
  if (PERMISSION_CODES.has(code)) {
    return new NautilusError(
      'DATA_DIR_UNUSABLE',
      `${path} cannot be used (${code}): give its owner read and write access or choose another --data-dir`,
      {
        cause: error,
      },
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, error);
  return error;
}

export function diskFull(path: string, cause?: unknown): NautilusError {
  return new NautilusError(
    'DISK_FULL',
    `no space left for ${path}: free some; reads go on, and writes work again then`,
    {
      cause,
    },
  );
}

async function refuseDamaged({ path, dataFile }: LmdbDirectory, signal: AbortSignal | undefined): Promise<void> {
  const check = await checkLmdb(path, signal);
  if (check.kind === 'sound') return;
  throw new NautilusError(
    'STORAGE_DAMAGED',
    `${dataFile} is damaged (${check.reason}): restore ${path} from a copy, or move it away and let the network fill a new one`,
    { details: { file: dataFile, reason: check.reason } },
  );
}

/** Its owner's alone from now on. @returns its size, 0 when there is none */
async function claim(file: string): Promise<number> {
  try {
    const { size, mode } = await stat(file);
    await access(file, constants.R_OK | constants.W_OK);
    // As it was made; a copy may have come with other rights. A node's state names storages with their passwords.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) await chmod(file, 0o600);
    return size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function isCleanlyClosed({ path, dataFile }: LmdbDirectory): Promise<boolean> {
  try {
    return (await readFile(join(path, CLEAN_NOTE), 'utf8')) === (await fingerprint(dataFile));
  } catch {
    return false; // no note, or one that cannot be read: then the check has to tell
  }
}

async function fingerprint(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  return JSON.stringify({ size, mtimeMs });
}

/** So that after a power cut the removed note does not come back and vouch for a torn file. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
