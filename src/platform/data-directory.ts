/**
 * The directory a node lives in: found, made (0700), checked and locked, because two nodes on one directory would be one identity in two
 * places and two writers in one LMDB file. Not here: what the files in it mean.
 */
import { mkdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Clock, NautilusError, sleep } from '../core/index.ts';
import { toDataDirectoryError } from './data-directory-error.ts';
import { acquireLock, type LockFiles, releaseLock } from './lock-file.ts';
import { checkLiveness, identifyProcess, type ProcessIdentity, parseProcessIdentity } from './process-identity.ts';
import { systemClock } from './system-clock.ts';
import { createWholeFile, replaceWholeFile } from './whole-file.ts';

const LOCK_FILE = 'lock';

/** How often a holder touches its lock. Only a lock of another container or machine is judged by it: there, pids mean nothing. */
const HEARTBEAT_MS = 4_000;
/** A lock of elsewhere that is not touched for so long is dead. */
const SILENCE_MS = 5 * HEARTBEAT_MS;

export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  /** Gives the lock back. Idempotent. */
  release(): Promise<void>;
}

export interface OpenDataDirectoryOptions {
  /** @default the system clock */
  readonly clock?: Clock;
  /** Called when opening will take some seconds, with a line for people. */
  readonly onWait?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `--data-dir`, else `NAUTILUS_HOME`, else `~/.nautilus/default`; absolute. */
export function resolveDataDirectory(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return resolve(flag || env.NAUTILUS_HOME || join(homedir(), '.nautilus', 'default'));
}

/**
 * Makes the directory if there is none, and locks it. The lock of a process that was killed is taken over.
 * @throws NautilusError `DATA_DIR_IN_USE` (details.pid), `DATA_DIR_UNUSABLE`, `DISK_FULL`; the signal's reason
 */
export async function openDataDirectory(
  directory: string,
  options: OpenDataDirectoryOptions = {},
): Promise<DataDirectory> {
  const { clock = systemClock } = options;
  const path = resolve(directory);
  const lockPath = join(path, LOCK_FILE);
  const content = `${JSON.stringify(await identifyProcess())}\n`;
  const isAlive = async (text: string, file: string) => {
    const holder = parseProcessIdentity(text);
    if (holder === undefined) return false; // lock files appear whole: this one lost its content with the power
    const liveness = await checkLiveness(holder);
    return liveness === 'foreign' ? isTouched(file, holder, clock, options) : liveness === 'alive';
  };
  let holder: string | undefined;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    holder = await acquireLock(lockFiles, { path: lockPath, content, isAlive });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toDataDirectoryError(path, error);
  }
  if (holder !== undefined) throw inUse(path, parseProcessIdentity(holder));
  return new LockedDirectory(path, lockPath, content, clock);
}

class LockedDirectory implements DataDirectory {
  readonly path: string;
  readonly #lockPath: string;
  readonly #content: string;
  readonly #stopHeartbeat: () => void;

  constructor(path: string, lockPath: string, content: string, clock: Clock) {
    this.path = path;
    this.#lockPath = lockPath;
    this.#content = content;
    this.#stopHeartbeat = startHeartbeat(lockPath, clock);
  }

  async release(): Promise<void> {
    this.#stopHeartbeat();
    await releaseLock(lockFiles, this.#lockPath, this.#content);
  }
}

const lockFiles: LockFiles = {
  create: createWholeFile,
  replace: replaceWholeFile,
  remove: (path) => rm(path, { force: true }),
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
};

function startHeartbeat(lockPath: string, clock: Clock): () => void {
  let timer = clock.setTimer(HEARTBEAT_MS, beat);
  let stopped = false;
  function beat() {
    const now = clock.now() / 1_000;
    // A beat that fails (a full or failing disk) is a beat missed: the next one is tried all the same.
    void utimes(lockPath, now, now)
      .catch(() => undefined)
      .then(() => {
        if (!stopped) timer = clock.setTimer(HEARTBEAT_MS, beat);
      });
  }
  return () => {
    stopped = true;
    timer.cancel();
  };
}

/** Whether somebody touches the file. Compares the file's times with each other only: clocks of machines differ. */
async function isTouched(
  file: string,
  holder: ProcessIdentity,
  clock: Clock,
  { onWait, signal }: OpenDataDirectoryOptions,
): Promise<boolean> {
  onWait?.(
    `${file} was left by process ${holder.pid} of another container or machine (${holder.host}): watching it for ${SILENCE_MS / 1_000} s`,
  );
  const before = await touchedAt(file);
  await sleep(clock, SILENCE_MS, signal);
  const after = await touchedAt(file);
  return after !== undefined && after !== before;
}

async function touchedAt(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // released meanwhile
    throw error;
  }
}

function inUse(path: string, holder: ProcessIdentity | undefined): NautilusError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return new NautilusError(
    'DATA_DIR_IN_USE',
    `${path} is in use by ${who}: end it with "nautilus stop --data-dir ${path}", or choose another directory with --data-dir`,
    { details: { path, pid: holder?.pid ?? null } },
  );
}
