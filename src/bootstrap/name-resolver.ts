/**
 * The names port and its system implementation. Host names go through the operating system (so /etc/hosts counts), TXT records straight to
 * the configured DNS servers, because the operating system offers no way to ask for them.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { onAbort, untilAborted } from '../core/index.ts';

export interface NameOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface NameResolver {
  /** Empty when the name has no address of that family. @throws a system error with a `code` when the question could not be asked */
  addresses(host: string, family: 'any' | 4 | 6, options?: NameOptions): Promise<readonly HostAddress[]>;
  /** The TXT records of a name, each joined to one string; empty when there are none. @throws as `addresses` */
  texts(name: string, options?: NameOptions): Promise<readonly string[]>;
}

export interface SystemNameResolverOptions {
  /** DNS servers for TXT records, `HOST` or `HOST:PORT`. @default those of the system */
  readonly servers?: readonly string[] | undefined;
}

const QUERY_TIMEOUT_MS = 3_000;
const QUERY_TRIES = 2;
/** The name does not exist, or has no such record: an answer, not a failure. */
const EMPTY_ANSWERS = new Set(['ENOTFOUND', 'ENODATA']);

export function createSystemNameResolver(options: SystemNameResolverOptions = {}): NameResolver {
  return {
    addresses: async (host, family, { signal } = {}) => {
      const found = await emptyWhenAbsent(
        // getaddrinfo cannot be cancelled
        untilAborted(lookup(host, { all: true, family: family === 'any' ? 0 : family }), signal),
      );
      return found.map(({ address, family: found }) => ({ address, family: found === 6 ? 6 : 4 }));
    },

    texts: async (name, { signal } = {}) => {
      // One resolver per question: cancel() ends every question of a resolver.
      const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
      if (options.servers !== undefined) resolver.setServers([...options.servers]);
      const cancel = () => resolver.cancel();
      const stop = signal && onAbort(signal, cancel);
      try {
        const chunks = await emptyWhenAbsent(untilAborted(resolver.resolveTxt(name), signal));
        return chunks.map((parts) => parts.join(''));
      } finally {
        stop?.();
      }
    },
  };
}

async function emptyWhenAbsent<T>(answers: Promise<T[]>): Promise<T[]> {
  try {
    return await answers;
  } catch (error) {
    if (error instanceof Error && 'code' in error && EMPTY_ANSWERS.has(String(error.code))) return [];
    throw error;
  }
}
