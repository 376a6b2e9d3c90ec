/**
 * Opens the PostgreSQL storage: loads the client package, takes the schema's lock, brings the tables up to date. What it does then is in
 * postgres-storage.ts. Needs connections of its own: behind a pooler only one that gives each client its own (session mode).
 */
import { Socket } from 'node:net';
import type { Clock } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';
import type { RegistryStorage } from '../storage.ts';
import { loadClient } from './load-client.ts';
import { toPostgresError } from './postgres-errors.ts';
import { PostgresLock } from './postgres-lock.ts';
import { migratePostgresSchema } from './postgres-schema.ts';
import { serverFacts, sessionSettings } from './postgres-server.ts';
import { type PostgresClient, PostgresSession } from './postgres-session.ts';
import { PostgresStorage } from './postgres-storage.ts';
import { MIN_POOL_SIZE, type PostgresUrl } from './postgres-url.ts';

export interface PostgresStorageOptions extends Omit<PostgresUrl, 'kind'> {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the schema where it is missing. Ends within three times `timeoutMs`, whatever the server does.
 * @throws NautilusError `CONFIG_INVALID` (package, URL, password, database, rights, TLS, a standby, a schema of a newer version, …),
 * `DATA_DIR_IN_USE` (another node has this schema), `STORAGE_FAILED` (not reached, silent, starting), `STORAGE_DAMAGED`, `DISK_FULL`
 */
export async function openPostgresStorage(options: PostgresStorageOptions): Promise<RegistryStorage> {
  const { schema, poolSize, timeoutMs, clock, signal } = options;
  signal?.throwIfAborted();
  const { createClient, where } = await prepareClient(options);
  const settings = sessionSettings(timeoutMs);
  const lock = new PostgresLock({ schema, where });
  const writer = new PostgresSession({
    clock,
    createClient,
    setUp: async (run) => {
      await run(settings);
      await lock.acquire(run);
    },
  });
  const createReader = () =>
    new PostgresSession({ clock, createClient, setUp: async (run) => void (await run(settings)) });
  try {
    const facts = await writer.use(timeoutMs, serverFacts, signal);
    if (facts.isReadOnly) {
      const problem = 'the server is read-only (a standby, or default_transaction_read_only): use the primary';
      throw misconfigured(`${where}: ${problem}`);
    }
    await writer.use(timeoutMs, (run) => migratePostgresSchema(run, schema, where), signal);
    const readers = Array.from({ length: poolSize - MIN_POOL_SIZE + 1 }, createReader);
    const parts = { writer, readers, slow: createReader() };
    return new PostgresStorage({ schema, timeoutMs, clock, where, isDurable: facts.isDurable, ...parts });
  } catch (error) {
    writer.reset();
    throw signal?.aborted ? signal.reason : toPostgresError(where, error);
  }
}

/** @throws NautilusError `CONFIG_INVALID` */
async function prepareClient({ url }: PostgresStorageOptions) {
  const { Client } = await loadClient('pg', () => import('pg'));
  const create = (socket: Socket) =>
    new Client({ connectionString: url, fallback_application_name: 'nautilus', keepAlive: true, stream: () => socket });
  const createClient = (): PostgresClient => {
    // Ours, so that it can be cut in any state of the connection.
    const socket = new Socket();
    const client = create(socket);
    client.on('error', () => {
      // The server went away. Whoever waits for an answer is told; an idle connection is made anew when it is needed.
    });
    return {
      connect: () => client.connect(),
      query: ({ text, values = [], name }) => client.query({ text, values: [...values], name, rowMode: 'array' }),
      destroy: () => void socket.destroy(),
      end: () => client.end(),
      onLost: (listener) => void client.once('end', listener),
    };
  };
  try {
    const { host, port, database } = create(new Socket());
    return { createClient, where: `PostgreSQL at ${host}:${port}/${database}` };
  } catch (cause) {
    // An unreadable certificate file, say.
    // Without the cause, which may carry the URL with its password.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw misconfigured(`the --storage URL of PostgreSQL cannot be used: ${reason}`);
  }
}
