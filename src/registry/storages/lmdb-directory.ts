/**
 * The directory of one LMDB storage: private to its owner, marked with its format's version, and with a note left at a clean stop. A data file that
 * the note does not describe (killed, copied, restored, cut) is checked before it is mapped. Not here: keeping two processes out, which the data
 * directory's lock does.
 */
import { access, chmod, constants, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNautilusError, NautilusError } from '../../core/index.ts';
import { FORMAT_VERSION, unknownFormat } from './format-version.ts';
import { checkLmdb } from './lmdb-check.ts';

const CLEAN_NOTE = 'closed-cleanly.json';
const FORMAT_FILE = 'format-version';
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT']);
const PERMISSION_CODES = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG']);

export interface LmdbDirectory {
  readonly path: string;
  readonly dataFile: string;
}

/**
 * Makes the directory if need be and sees that what lies in it can be opened without harm.
 * @throws NautilusError `CONFIG_INVALID` (of a newer version), `DATA_DIR_UNUSABLE`, `STORAGE_DAMAGED`, `DISK_FULL`
 */
export async function prepareLmdbDirectory(path: string, signal?: AbortSignal): Promise<LmdbDirectory> {
  const directory = { path, dataFile: join(path, 'data.mdb') };
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    await checkFormat(path);
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
  if (FULL_CODES.has(code)) return diskFull(path, error);
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

/** In a file of its own: LMDB knows nothing but entries, and one of these would be in everybody's scans. */
async function checkFormat(path: string): Promise<void> {
  const file = join(path, FORMAT_FILE);
  const found = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) await markFormat(file);
  else if (found.trim() !== FORMAT_VERSION) throw unknownFormat(path, found.trim(), 'choose another directory');
}

async function markFormat(file: string): Promise<void> {
  const draft = `${file}.new`;
  try {
    await writeFile(draft, `${FORMAT_VERSION}\n`, { mode: 0o600, flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    // On a full disk what is there can still be read, and without the mark it is what it is.
    if (!FULL_CODES.has(errorCode(error))) throw error;
  }
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
