/**
 * The control server: commands over a unix socket (0600) of the data directory, in the messages of commands/control-messages.ts. Error codes
 * pass this door unchanged. Not here: what the commands do, and the lock of the data directory, which the node holds before it opens this.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { encodeMessage, type NodeApi } from '../../commands/index.ts';
import { NautilusError, type Observer, SILENT_OBSERVER } from '../../core/index.ts';
import { ControlConnection } from './control-connection.ts';
import { chooseSocketPath, listenPrivately, publishSocketPath, removeStaleSocket } from './control-socket.ts';

export interface ControlServerInit {
  readonly api: NodeApi;
  /** Must exist, and belong to the caller by its lock. */
  readonly dataDir: string;
  readonly observer?: Observer | undefined;
  /** @default 256 */
  readonly maxConnections?: number | undefined;
}

export interface ControlServer {
  /** Where it listens, absolute. */
  readonly path: string;
  /**
   * Takes no more connections and commands, aborts those under way and removes the socket. A `stop` under way is left alone: it is what
   * waits for this, and its connection ends by itself once it was answered.
   */
  close(): Promise<void>;
}

/** @throws NautilusError `DATA_DIR_IN_USE`, `DATA_DIR_UNUSABLE` */
export async function createControlServer(init: ControlServerInit): Promise<ControlServer> {
  const { api, observer = SILENT_OBSERVER, maxConnections = 256 } = init;
  const dataDir = resolve(init.dataDir);
  const path = chooseSocketPath(dataDir);
  await removeStaleSocket(path);

  // BOUNDED: maxConnections.
  const connections = new Set<ControlConnection>();
  const server = createServer((socket) => {
    if (connections.size >= maxConnections) {
      refuse(socket, maxConnections);
      return;
    }
    const connection = new ControlConnection(socket, {
      api,
      observer,
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
  });
  try {
    await listenPrivately(server, path);
    publishSocketPath(dataDir, path);
  } catch (cause) {
    server.close();
    throw new NautilusError('DATA_DIR_UNUSABLE', `cannot listen on ${path}: ${(cause as Error).message}`, { cause });
  }
  server.on('error', (error) => observer.notify({ type: 'warning', code: 'CONTROL_SOCKET', message: error.message }));
  return { path, close: () => closeServer(server, connections, path) };
}

function refuse(socket: Socket, maxConnections: number): void {
  const message = `the node has ${maxConnections} control connections already: close some, or try again`;
  socket.on('error', () => socket.destroy());
  socket.end(encodeMessage({ id: null, error: { code: 'RESOURCE_EXHAUSTED', message } }));
  socket.resume();
}

async function closeServer(server: Server, connections: Set<ControlConnection>, path: string): Promise<void> {
  server.close();
  // Already gone from the directory when the server is closed by Node; a name that was never in it is fine too.
  rmSync(path, { force: true });
  await Promise.all([...connections].map((connection) => connection.close()));
}
