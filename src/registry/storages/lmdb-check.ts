/**
 * Looks through an LMDB directory in a short-lived child process. LMDB trusts its file: on a damaged one it dies of SIGBUS, SIGSEGV or
 * SIGABRT, which no process can catch for itself. So a stranger's death is what we look at.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { NautilusError } from '../../core/index.ts';

const DAMAGE_EXIT = 3;
const MAX_OUTPUT_BYTES = 4_096;
/** What a process dies of when it follows a damaged page. Anything else (SIGKILL, SIGTERM) says nothing about the file. */
const CRASH_SIGNALS = new Set<NodeJS.Signals>(['SIGBUS', 'SIGSEGV', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** Reads every page a reader or writer could meet: all entries (order and checksums) and the free list. */
const SCRIPT = `
  const { crc32 } = require('node:zlib');
  const [, lmdb, path] = process.argv;
  const damaged = (reason) => { console.log(reason); process.exit(${DAMAGE_EXIT}); };
  const db = require(lmdb).open({ path, readOnly: true, encoding: 'binary', keyEncoding: 'binary', maxDbs: 1 });
  let count = 0, previous = Buffer.alloc(0);
  for (const { key, value } of db.getRange({ snapshot: true })) {
    if (count++ > 0 && Buffer.compare(previous, key) >= 0) damaged('keys out of order');
    if (value.length < 20 || value.readUInt32BE(0) !== crc32(value.subarray(4), crc32(key))) damaged('an entry with a wrong checksum');
    previous = Buffer.from(key);
  }
  const { entryCount } = db.getStats();
  if (entryCount !== count) damaged(count + ' entries where ' + entryCount + ' were counted');
`;

export type LmdbCheck = { readonly kind: 'sound' } | { readonly kind: 'damaged'; readonly reason: string };

/** @throws NautilusError `STORAGE_FAILED` when nothing could be found out; the signal's reason */
export async function checkLmdb(directory: string, signal?: AbortSignal): Promise<LmdbCheck> {
  signal?.throwIfAborted();
  const lmdb = createRequire(import.meta.url).resolve('lmdb');
  // An empty environment: the child must not inherit flags that change how Node starts.
  const child = spawn(process.execPath, ['-e', SCRIPT, lmdb, directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
  });
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const { code, killedBy, output } = await outcomeOf(child);
    signal?.throwIfAborted();
    if (code === 0) return { kind: 'sound' };
    if (code === DAMAGE_EXIT) return { kind: 'damaged', reason: output.trim() };
    if (killedBy !== null && CRASH_SIGNALS.has(killedBy))
      return { kind: 'damaged', reason: `reading it ends in ${killedBy}` };
    const lmdbError = /MDB_[A-Z_]+[^\n]*/.exec(output)?.[0];
    if (lmdbError !== undefined) return { kind: 'damaged', reason: lmdbError };
    throw new NautilusError(
      'STORAGE_FAILED',
      `the check of ${directory} after an unclean stop was cut short: start again`,
      {
        details: { code, signal: killedBy, output },
      },
    );
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

interface Outcome {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly output: string;
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let output = '';
    const collect = (chunk: string) => {
      output = (output + chunk).slice(0, MAX_OUTPUT_BYTES);
    };
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve({ code, killedBy, output }));
  });
}
