/**
 * Opens a storage in a Redis server, by ioredis, which is known in this file only and loaded when it is called. Redis 6.2 or later, a plain
 * server: several of them form the registry's own ring. Not here: what is kept how (redis-storage.ts), what keeps calls within their deadlines
 * (redis-connection.ts), what a server must be like (redis-greeting.ts).
 */
import { readFile } from 'node:fs/promises';
import type { Redis, RedisOptions } from 'ioredis';
import { type Clock, isNautilusError, type Observer, onAbort, SILENT_OBSERVER } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';
import type { RegistryStorage } from '../storage.ts';
import { loadClient } from './load-client.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisGreeting, type RedisKeys, type RedisSession } from './redis-greeting.ts';
import { type RedisLink, RedisReplyError } from './redis-link.ts';
import { RedisStorage } from './redis-storage.ts';
import { type RedisAddress, redisAddressText } from './redis-url.ts';

export interface RedisStorageOptions extends RedisAddress {
  readonly clock: Clock;
  /** Of every call, and of opening. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Told `warning`, e.g. that the server is not durable. @default SILENT_OBSERVER */
  readonly observer?: Observer | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** A server does not wait for a clock that a test or a simulation holds: the given clock judges entries, this one the server. */
const REAL_TIME: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const KEEP_ALIVE_MS = 30_000;

/**
 * @throws NautilusError `CONFIG_INVALID` (no client package, wrong password, a replica, an evicting server, …), `DATA_DIR_IN_USE` (another node
 * has this prefix), `STORAGE_FAILED` (not reached, silent, still loading)
 */
export async function openRedisStorage(options: RedisStorageOptions): Promise<RegistryStorage> {
  const { clock, timeoutMs = DEFAULT_TIMEOUT_MS, observer = SILENT_OBSERVER, signal, prefix } = options;
  const ioredis = await loadClient('ioredis', () => import('ioredis'));
  const address = redisAddressText(options);
  const clientOptions = await toClientOptions(options, timeoutMs);
  // In one hash slot, in case the server counts them.
  const own = (name: string) => `{${prefix}}:${name}`;
  const keys: RedisKeys = { owner: own('owner'), format: own('format'), index: own('index'), entry: own('e:') };
  const greeting = new RedisGreeting(options, keys, REAL_TIME);
  const connection: RedisConnection = new RedisConnection({
    address,
    clock: REAL_TIME,
    timeoutMs,
    connect: async (attempt) => {
      const link = await dial(new ioredis.Redis(clientOptions), attempt);
      return greetOrLeave(link, attempt, () => greeting.greet(link, attempt));
    },
    onSession: ({ isDurable, warnings }) => {
      storage.setDurable(isDurable === true);
      for (const warning of warnings)
        observer.notify({ type: 'warning', code: 'STORAGE_SERVER', message: `${address}: ${warning}` });
    },
  });
  const storage = new RedisStorage({
    connection,
    keys,
    clock,
    address,
    release: (session) => greeting.release(session),
  });
  await connection.open(signal);
  return storage;
}

async function toClientOptions({ host, port, tls, ca }: RedisAddress, timeoutMs: number): Promise<RedisOptions> {
  return {
    host,
    port,
    // An address is no server name (RFC 6066); the certificate is checked against it all the same.
    ...(tls && { tls: { ...(ca !== undefined && { ca: await readCertificates(ca) }) } }),
    lazyConnect: true,
    connectTimeout: timeoutMs,
    disconnectTimeout: 0,
    keepAlive: KEEP_ALIVE_MS,
    // What follows a connection is redis-greeting.ts's business, what follows its end redis-connection.ts's.
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    retryStrategy: null,
  } as RedisOptions;
}

async function readCertificates(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error;
    throw misconfigured(`the certificates in ${file} cannot be read (${reason}): correct ?ca= in the URL`);
  }
}

async function dial(client: Redis, signal: AbortSignal): Promise<RedisLink> {
  let reason: Error | undefined;
  // Before anything can go wrong: an 'error' without a listener would end the process.
  client.on('error', (error: Error) => {
    reason = error;
  });
  const destroy = () => client.disconnect();
  const link: RedisLink = {
    call: (name, args) => client.callBuffer(name, args as (string | Buffer)[]).catch(rethrowPlain),
    onEnd: (listener) => {
      if (client.status === 'end') listener(reason ?? closed());
      else client.once('end', () => listener(reason ?? closed()));
    },
    destroy,
  };
  return greetOrLeave(link, signal, async () => {
    try {
      await client.connect();
      return link;
    } catch (error) {
      throw reason ?? error;
    }
  });
}

/** Runs `work` on a link that does not outlive its failure, nor the signal. */
async function greetOrLeave<T extends RedisLink | RedisSession>(
  link: RedisLink,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const destroy = () => link.destroy();
  const unwatch = onAbort(signal, destroy);
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    destroy();
    // Who found out what is wrong says it better than the signal.
    if (!isNautilusError(error)) signal.throwIfAborted();
    throw error;
  } finally {
    unwatch();
  }
}

/** ioredis hangs the whole command on its errors: passwords and values do not belong into a log. */
function rethrowPlain(error: Error): never {
  throw error.name === 'ReplyError' ? new RedisReplyError(error.message) : new Error(error.message);
}

function closed(): Error {
  return new Error('the server closed it');
}
