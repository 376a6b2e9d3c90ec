/** What goes wrong with a Redis server, in words for whoever runs the node. Nothing here repeats a password or a value. */
import { isNautilusError, NautilusError } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';
import { toCallFailure } from './call-failure.ts';
import { RedisReplyError } from './redis-link.ts';

/** Replies that no retry will mend, by their first word. */
const REPLIES: Readonly<Record<string, (address: string) => NautilusError>> = {
  NOAUTH: (address) => misconfigured(`${address} wants a password: give it as redis://:PASSWORD@host`),
  WRONGPASS: (address) => misconfigured(`${address} refuses the user name or password: correct the URL`),
  WRONGTYPE: (address) => damaged(address, 'a key under its prefix holds something else'),
  DAMAGED: (address) => damaged(address, 'an entry is not what a node wrote'),
  FENCED: inUse,
  OOM: (address) => failed(`${address} has no memory left (maxmemory): give it more, or remove something`),
  MISCONF: (address) => failed(`${address} refuses writes because it cannot save to its disk: see its log`),
  READONLY: (address) => failed(`${address} is a read-only replica now: name its primary`),
  LOADING: (address) => failed(`${address} is still loading its data: try again later`),
  BUSY: (address) => failed(`${address} is busy with somebody's script: try again later`),
  NOPERM: (address) =>
    misconfigured(
      `the user of ${address} lacks rights: it needs +@read +@write +@scripting +@connection +info on ~{PREFIX}:*`,
    ),
};
/** Of the connection: what was tried was not reached. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']);

/** Any failure of opening; a `NautilusError` comes back as it is. */
export function toRedisError(address: string, error: unknown): NautilusError {
  if (isNautilusError(error)) return error;
  if (error instanceof RedisReplyError) {
    const known = REPLIES[error.code]?.(address);
    return known ?? failed(`${address} answered with an error: ${error.message}`, error);
  }
  const code = codeOf(error);
  const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  if (UNREACHABLE.has(code))
    return failed(`${address} cannot be reached (${code}): start it, or correct the URL`, error);
  if (
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    code === 'EPROTO' ||
    /certificate/i.test(reason ?? '')
  ) {
    const hint = 'without TLS it is redis://, a private authority is trusted by ?ca=FILE';
    return misconfigured(`no TLS with ${address} (${reason}): ${hint}`, { cause: error });
  }
  return failed(`the connection to ${address} was lost (${reason}): a write on its way may have happened`, error);
}

export function toCallError(address: string, error: unknown): NautilusError {
  return toCallFailure(toRedisError(address, error));
}

export function failed(message: string, cause?: unknown): NautilusError {
  return new NautilusError('STORAGE_FAILED', message, cause === undefined ? {} : { cause });
}

export function damaged(address: string, what: string): NautilusError {
  return new NautilusError(
    'STORAGE_DAMAGED',
    `the data in ${address} is damaged (${what}): repair it there, or give ?prefix= another name and let the network fill it`,
  );
}

export function inUse(address: string, client = ''): NautilusError {
  return new NautilusError(
    'DATA_DIR_IN_USE',
    `another node${client} uses the same prefix in ${address}: stop it, or give each its own ?prefix=`,
  );
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
