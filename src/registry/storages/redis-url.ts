/**
 * `redis://user:password@host:port/db?…`, with TLS `rediss://…`: where a Redis storage lies and how to get in. Knows the form only.
 */
import type { StorageUrlText } from '../storage-url-text.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** File with the certificates to trust, PEM. @default those of the system */
  readonly ca?: string | undefined;
  /** @default the server's default user */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
  /** In front of every key: two nodes on one server each have their own. */
  readonly prefix: string;
}

export interface RedisUrl extends RedisAddress {
  readonly kind: 'redis';
  /** Of a call without an answer. */
  readonly timeoutMs: number;
}

const FIELDS = ['prefix', 'timeoutMs', 'ca'];
const DEFAULT_PORT = 6_379;
const DEFAULT_PREFIX = 'nautilus';
const DEFAULT_TIMEOUT_MS = 5_000;
const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 600_000;
/** No braces, which would move the keys to other hash slots, and nothing that a shell or an access rule would take for a pattern. */
const PREFIX = /^[\w.:-]{1,64}$/;

/** @throws NautilusError `CONFIG_INVALID`, naming the field */
export function parseRedisUrl(text: StorageUrlText): RedisUrl {
  const url = text.toServer('redis://user:password@host:port/db (with TLS rediss://…)');
  const { protocol, hostname, port, username, password, pathname } = url;
  if (hostname === '') throw text.refusal('it names no host');
  if (port === '0') throw text.refusal("port 0 is nobody's");
  const [, db] = /^\/?(\d{0,5})$/.exec(pathname) ?? [];
  if (db === undefined) throw text.refusal(`the database must be a number, not "${pathname.slice(1)}"`);
  if (username !== '' && password === '')
    throw text.refusal('it has a user but no password: a password alone is written :PASSWORD@');

  text.checkFields(FIELDS);
  const prefix = text.fields.get('prefix') ?? DEFAULT_PREFIX;
  if (!PREFIX.test(prefix))
    throw text.refusal(`the field "prefix" must be 1 to 64 of letters, digits and _ . : -, not "${prefix}"`);
  const timeoutMs = text.wholeNumber('timeoutMs', MIN_TIMEOUT_MS, MAX_TIMEOUT_MS) ?? DEFAULT_TIMEOUT_MS;
  const tls = protocol === 'rediss:';
  const ca = text.fields.get('ca') ?? undefined;
  if (ca !== undefined && !tls) throw text.refusal('the field "ca" is for rediss://');
  return {
    kind: 'redis',
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? DEFAULT_PORT : Number(port),
    tls,
    ca,
    username: username === '' ? undefined : decoded(username, text),
    password: password === '' ? undefined : decoded(password, text),
    db: Number(db),
    prefix,
    timeoutMs,
  };
}

/** For messages: without what must not be in a log. */
export function redisAddressText({ tls, host, port, db }: RedisAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `redis${tls ? 's' : ''}://${name}:${port}${db === 0 ? '' : `/${db}`}`;
}

function decoded(escaped: string, text: StorageUrlText): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    throw text.refusal('its user or password has a "%" that is no escape: a percent sign is written %25');
  }
}
