/** One line for every way a data directory can fail, each with the next step. */
import { isNautilusError, NautilusError } from '../core/index.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission; run as the owner of the directory, or choose another one with --data-dir',
  EPERM: 'no permission, or a file system without hard links; run as the owner, or choose another one with --data-dir',
  ENOTSUP: 'its file system has no hard links; choose one on a local disk with --data-dir',
  EROFS: 'its file system is read-only; remount it writable, or choose another one with --data-dir',
  EEXIST: 'it is a file, not a directory; choose another one with --data-dir',
  ENOTDIR: 'a part of its path is a file, not a directory; choose another one with --data-dir',
  ELOOP: 'its path is a loop of symbolic links; choose another one with --data-dir',
  ENAMETOOLONG: 'its path is too long; choose a shorter one with --data-dir',
  EIO: 'its disk reports errors; check the disk, or choose another one with --data-dir',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
};

/** @returns `DISK_FULL` or `DATA_DIR_UNUSABLE`; a NautilusError passes unchanged. `path` is the directory or the file in it that failed. */
export function toDataDirectoryError(path: string, cause: unknown): NautilusError {
  if (isNautilusError(cause)) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const details = { path };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new NautilusError('DISK_FULL', `no space left to write ${path}: free some and start again`, {
      cause,
      details,
    });
  }
  const reason = REASONS[code] ?? `${code || String(cause)}; choose another one with --data-dir`;
  return new NautilusError('DATA_DIR_UNUSABLE', `cannot use ${path}: ${reason}`, { cause, details });
}
