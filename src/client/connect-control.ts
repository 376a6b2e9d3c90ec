/** Finds the control socket of a data directory and connects to the node behind it. */
import { lstat, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { type CallOptions, CONTROL_PATH_FILE, CONTROL_SOCKET_FILE } from '../commands/index.ts';
import { NautilusError } from '../core/index.ts';
import { ControlClient } from './control-client.ts';

export interface ConnectControlOptions extends CallOptions {
  readonly dataDir: string;
}

/** What connecting says when there is nobody: no file, a file nobody listens on, or something that is no socket. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK']);

/**
 * Connects to the node that runs on `dataDir`. Close the client when done: an open one keeps the process alive.
 * @throws NautilusError `NODE_UNREACHABLE` when none runs there, `DATA_DIR_UNUSABLE` when it may not be entered
 */
export async function connectControl(options: ConnectControlOptions): Promise<ControlClient> {
  const { signal } = options;
  signal?.throwIfAborted();
  const dataDir = resolve(options.dataDir);
  try {
    const path = await findSocket(dataDir);
    return new ControlClient(await open(path, signal), dataDir);
  } catch (error) {
    if (signal?.aborted || error instanceof NautilusError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !NOBODY.has(code)) {
      throw new NautilusError('DATA_DIR_UNUSABLE', `cannot reach the node in ${dataDir}: ${message}`, { cause: error });
    }
    throw new NautilusError(
      'NODE_UNREACHABLE',
      `no node is running in ${dataDir}: start one with "nautilus start --data-dir ${dataDir}", or give --bootstrap`,
      { cause: error },
    );
  }
}

async function findSocket(dataDir: string): Promise<string> {
  let path: string;
  try {
    path = (await readFile(join(dataDir, CONTROL_PATH_FILE), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return join(dataDir, CONTROL_SOCKET_FILE);
  }
  // In a shared directory anybody could take the name while no node runs, and would be sent what we put.
  const owner = (await lstat(path)).uid;
  if (owner === process.getuid?.() || owner === 0) return path;
  throw new NautilusError('DATA_DIR_UNUSABLE', `${path} belongs to another user: it is not the socket of your node`);
}

function open(path: string, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const onAbort = () => {
      socket.destroy();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
