/**
 * A lock that survives the death of its holder, out of the four atomic things every file system does: create, replace, read, remove. Node has
 * no flock(2). Removing a dead holder's file and creating one's own is the classic race (the file removed may already be the next
 * holder's), so nobody does: a dead holder's file is *replaced*, by the one process that holds the right to succeed exactly that content.
 * That right is a lock of the same kind, so that a crash in the middle blocks nobody. Not here: who is alive (process-identity.ts).
 */
import { createHash } from 'node:crypto';

/** Each call is atomic, also against a crash. */
export interface LockFiles {
  /** False when `path` exists. */
  create(path: string, content: string): Promise<boolean>;
  replace(path: string, content: string): Promise<void>;
  /** undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  /** A missing file is fine. */
  remove(path: string): Promise<void>;
}

export interface LockRequest {
  readonly path: string;
  /** Names the taker; must never have been used before by anybody. */
  readonly content: string;
  /** Whether the one who wrote `content` to `path` may still be there. Wrong "no"s break the lock. */
  readonly isAlive: (content: string, path: string) => Promise<boolean>;
}

/** @returns undefined once the lock is held, or the content of the living holder (or of a rival about to be it) */
export function acquireLock(files: LockFiles, request: LockRequest): Promise<string | undefined> {
  return acquire(files, request, request.path);
}

async function acquire(files: LockFiles, request: LockRequest, path: string): Promise<string | undefined> {
  const { content, isAlive } = request;
  for (;;) {
    if (await files.create(path, content)) return undefined;
    const current = await files.read(path);
    if (current === undefined) continue; // released between the two
    if (await isAlive(current, path)) return current;
    const succession = successionPath(request.path, path, current);
    const rival = await acquire(files, request, succession);
    if (rival !== undefined) return rival;
    try {
      // Invariant: while `path` holds a dead holder's content only the owner of its succession writes `path`, and that is us now.
      // Other content means that we came late: a successor was here and has given its right back.
      if ((await files.read(path)) !== current) continue;
      await files.replace(path, content);
      return undefined;
    } finally {
      await files.remove(succession);
    }
  }
}

/** Idempotent. A file that is not ours any more stays. */
export async function releaseLock(files: LockFiles, path: string, content: string): Promise<void> {
  if ((await files.read(path)) === content) await files.remove(path);
}

function successionPath(root: string, path: string, content: string): string {
  const digest = createHash('sha256').update(path).update('\0').update(content).digest('hex');
  return `${root}.after-${digest.slice(0, 24)}`;
}
