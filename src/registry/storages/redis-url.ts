/**
 * `redis://user:password@host:port/db?…`, with TLS `rediss://…`: where a Redis storage lies and how to get in. Knows the form only, and never
 * puts a password into a message.
 */
import { NautilusError } from '../../core/index.ts';

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
export function parseRedisUrl(url: string): RedisUrl {
  const [base = '', query = ''] = url.split('?', 2);
  const fields = new URLSearchParams(query);
  const invalid = (problem: string) =>
    new NautilusError('CONFIG_INVALID', `--storage "${withoutPassword(base)}" cannot be used: ${problem}`, {
      details: { field: 'storage' },
    });
  if (!/^rediss?:\/\//i.test(base) || !URL.canParse(base))
    throw invalid('it is not of the form redis://user:password@host:port/db (with TLS rediss://…)');
  const { protocol, hostname, port, username, password, pathname, hash } = new URL(base);
  if (hostname === '') throw invalid('it names no host');
  if (port === '0') throw invalid("port 0 is nobody's");
  if (hash !== '') throw invalid('it has a "#": in a password that is written %23');
  const [, db] = /^\/?(\d{0,5})$/.exec(pathname) ?? [];
  if (db === undefined) throw invalid(`the database must be a number, not "${pathname.slice(1)}"`);
  if (username !== '' && password === '')
    throw invalid('it has a user but no password: a password alone is written :PASSWORD@');

  for (const name of fields.keys()) {
    if (!FIELDS.includes(name)) throw invalid(`the field "${name}" is unknown; known are ${FIELDS.join(', ')}`);
    if (fields.getAll(name).length > 1) throw invalid(`the field "${name}" is given more than once`);
  }
  const prefix = fields.get('prefix') ?? DEFAULT_PREFIX;
  if (!PREFIX.test(prefix))
    throw invalid(`the field "prefix" must be 1 to 64 of letters, digits and _ . : -, not "${prefix}"`);
  const timeout = fields.get('timeoutMs') ?? String(DEFAULT_TIMEOUT_MS);
  if (!/^\d{1,9}$/.test(timeout) || Number(timeout) < MIN_TIMEOUT_MS || Number(timeout) > MAX_TIMEOUT_MS)
    throw invalid(
      `the field "timeoutMs" must be a whole number from ${MIN_TIMEOUT_MS} to ${MAX_TIMEOUT_MS}, not "${timeout}"`,
    );
  const tls = protocol === 'rediss:';
  const ca = fields.get('ca') ?? undefined;
  if (ca !== undefined && !tls) throw invalid('the field "ca" is for rediss://');
  return {
    kind: 'redis',
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? DEFAULT_PORT : Number(port),
    tls,
    ca,
    username: username === '' ? undefined : decoded(username, invalid),
    password: password === '' ? undefined : decoded(password, invalid),
    db: Number(db),
    prefix,
    timeoutMs: Number(timeout),
  };
}

/** For messages: without what must not be in a log. */
export function redisAddressText({ tls, host, port, db }: RedisAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `redis${tls ? 's' : ''}://${name}:${port}${db === 0 ? '' : `/${db}`}`;
}

function decoded(text: string, invalid: (problem: string) => NautilusError): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('its user or password has a "%" that is no escape: a percent sign is written %25');
  }
}

function withoutPassword(base: string): string {
  return base.replace(/^([^:]*:\/\/).*@/, '$1…@');
}
