/**
 * `postgres://user:password@host:port/database?…`: what of it is ours, and what the client package reads. Knows the form only, and never puts
 * a password into a message.
 */
import { NautilusError } from '../../core/index.ts';

export interface PostgresUrl {
  readonly kind: 'postgres';
  /** For the client package: without the fields that are ours. */
  readonly url: string;
  /** An identifier; one storage per schema. */
  readonly schema: string;
  /** Connections at most, `MIN_POOL_SIZE` or more. */
  readonly poolSize: number;
  /** Of a call without an answer. */
  readonly timeoutMs: number;
}

/** One writes, one counts and sweeps, the others read. */
export const MIN_POOL_SIZE = 3;
const MAX_POOL_SIZE = 1_000;
const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 600_000;

const OWN_FIELDS = { schema: 'nautilus', poolSize: 5, timeoutMs: 5_000 } as const;
/** Handed on to the client package: TLS, unix sockets, and the name that the server's lists show. */
const CLIENT_FIELDS = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslnegotiation',
  'host',
  'port',
  'application_name',
];
/** pg 8 verifies the certificate for all of these; said in the one way that means it in every version. `no-verify` does not. */
const VERIFYING_MODES = ['prefer', 'require', 'verify-ca', 'verify-full'];
const SSL_MODES = ['disable', 'no-verify', ...VERIFYING_MODES];

/** @throws NautilusError `CONFIG_INVALID`, naming the field */
export function parsePostgresUrl(url: string): PostgresUrl {
  const [, base = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const fields = new URLSearchParams(query);
  const invalid = (problem: string) =>
    new NautilusError('CONFIG_INVALID', `--storage "${withoutPassword(url)}" cannot be used: ${problem}`, {
      details: { field: 'storage' },
    });
  // A user without a host, for unix sockets, is a form of libpq's that URL does not know.
  if (!/^postgres(?:ql)?:\/\//i.test(base) || !URL.canParse(base.replace('@/', '@localhost/')))
    throw invalid('it is not of the form postgres://user:password@host:port/database');

  for (const name of fields.keys()) {
    if (!Object.hasOwn(OWN_FIELDS, name) && !CLIENT_FIELDS.includes(name))
      throw invalid(
        `the field "${name}" is unknown; known are ${[...Object.keys(OWN_FIELDS), ...CLIENT_FIELDS].join(', ')}`,
      );
    if (fields.getAll(name).length > 1) throw invalid(`the field "${name}" is given more than once`);
  }
  const wholeNumber = (name: string, fallback: number, min: number, max: number) => {
    const text = fields.get(name) ?? String(fallback);
    if (!/^\d{1,9}$/.test(text) || Number(text) < min || Number(text) > max)
      throw invalid(`the field "${name}" must be a whole number from ${min} to ${max}, not "${text}"`);
    return Number(text);
  };
  const schema = fields.get('schema') ?? OWN_FIELDS.schema;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_'))
    throw invalid(`the field "schema" must be a name of a-z, 0-9 and _ that does not begin with pg_, not "${schema}"`);
  const sslMode = fields.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode))
    throw invalid(`the field "sslmode" must be one of ${SSL_MODES.join(', ')}, not "${sslMode}"`);

  const poolSize = wholeNumber('poolSize', OWN_FIELDS.poolSize, MIN_POOL_SIZE, MAX_POOL_SIZE);
  const timeoutMs = wholeNumber('timeoutMs', OWN_FIELDS.timeoutMs, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);
  wholeNumber('port', 5_432, 1, 65_535);
  for (const name of Object.keys(OWN_FIELDS)) fields.delete(name);
  if (sslMode !== null && VERIFYING_MODES.includes(sslMode)) fields.set('sslmode', 'verify-full');
  const rest = fields.size > 0 ? `?${fields}` : '';
  return { kind: 'postgres', url: `${base}${rest}`, schema, poolSize, timeoutMs };
}

/** Up to the last @, whatever the password has in it. */
function withoutPassword(url: string): string {
  return url.replace(/:\/\/.*@/s, '://…@').replace(/\?.*$/s, '');
}
