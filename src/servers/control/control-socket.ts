/** The socket file of a data directory: where it can be, whether somebody listens there, and who may connect. */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { CONTROL_PATH_FILE, CONTROL_SOCKET_FILE, MAX_SOCKET_PATH_BYTES } from '../../commands/index.ts';
import { NautilusError } from '../../core/index.ts';

/**
 * The path to listen on: in the data directory, or under a name derived from it in the runtime or temporary directory when that would be
 * too long for a socket.
 * @throws NautilusError `DATA_DIR_UNUSABLE` when no directory is short enough
 */
export function chooseSocketPath(dataDir: string, env: NodeJS.ProcessEnv = process.env): string {
  const name = `nautilus-${createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 24)}.sock`;
  const elsewhere = [env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'].filter(
    (directory) => directory !== undefined && directory !== '',
  );
  const candidates = [
    join(dataDir, CONTROL_SOCKET_FILE),
    ...elsewhere.map((directory) => join(directory as string, name)),
  ];
  const fitting = candidates.find((path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES);
  if (fitting !== undefined) return fitting;
  throw new NautilusError(
    'DATA_DIR_UNUSABLE',
    `no place for a socket near ${dataDir}: set XDG_RUNTIME_DIR to a short path`,
  );
}

/** Tells callers where the socket is when it is not in the data directory, and takes back what an earlier run told them. */
export function publishSocketPath(dataDir: string, socketPath: string): void {
  const pathFile = join(dataDir, CONTROL_PATH_FILE);
  if (socketPath === join(dataDir, CONTROL_SOCKET_FILE)) rmSync(pathFile, { force: true });
  else writeFileSync(pathFile, `${socketPath}\n`, { mode: 0o600 });
}

/**
 * Removes what a killed process left behind. Only the holder of the data directory's lock may call this.
 * @throws NautilusError `DATA_DIR_IN_USE` when somebody answers there, `DATA_DIR_UNUSABLE` when something else is in the way
 */
export async function removeStaleSocket(socketPath: string): Promise<void> {
  const entry = lstatSync(socketPath, { throwIfNoEntry: false });
  if (entry === undefined) return;
  if (!entry.isSocket()) {
    throw new NautilusError(
      'DATA_DIR_UNUSABLE',
      `${socketPath} is in the way of the control socket: move it elsewhere`,
    );
  }
  if (await isAnswered(socketPath)) {
    throw new NautilusError('DATA_DIR_IN_USE', `a node answers on ${socketPath}: stop it, or use another --data-dir`);
  }
  rmSync(socketPath, { force: true });
}

function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Refused or gone: nobody is there, which is what was asked.
    socket.once('error', () => resolve(false));
  });
}

/** Listens on `socketPath` so that only this user can connect, from the first moment on. */
export async function listenPrivately(server: Server, socketPath: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  // A unix socket is bound inside listen(): the mask holds for exactly that long. Worker threads cannot set it; there chmod has to do.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    server.listen(socketPath);
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  await listening;
  chmodSync(socketPath, 0o600);
}
