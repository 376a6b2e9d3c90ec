/**
 * `postgres://user:password@host:port/database?…`: what of it is ours, and what the client package reads. Knows the form only.
 */
import type { StorageUrlText } from '../storage-url-text.ts';

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
export function parsePostgresUrl(text: StorageUrlText): PostgresUrl {
  const { base } = text;
  // A user without a host, for unix sockets, is a form of libpq's that URL does not know.
  text.toServer('postgres://user:password@host:port/database', base.replace('@/', '@localhost/'));
  text.checkFields([...Object.keys(OWN_FIELDS), ...CLIENT_FIELDS]);
  const fields = new URLSearchParams(text.fields);
  const schema = fields.get('schema') ?? OWN_FIELDS.schema;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_'))
    throw text.refusal(
      `the field "schema" must be a name of a-z, 0-9 and _ that does not begin with pg_, not "${schema}"`,
    );
  const sslMode = fields.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode))
    throw text.refusal(`the field "sslmode" must be one of ${SSL_MODES.join(', ')}, not "${sslMode}"`);

  const poolSize = text.wholeNumber('poolSize', MIN_POOL_SIZE, MAX_POOL_SIZE) ?? OWN_FIELDS.poolSize;
  const timeoutMs = text.wholeNumber('timeoutMs', MIN_TIMEOUT_MS, MAX_TIMEOUT_MS) ?? OWN_FIELDS.timeoutMs;
  text.wholeNumber('port', 1, 65_535);
  for (const name of Object.keys(OWN_FIELDS)) fields.delete(name);
  if (sslMode !== null && VERIFYING_MODES.includes(sslMode)) fields.set('sslmode', 'verify-full');
  const rest = fields.size > 0 ? `?${fields}` : '';
  return { kind: 'postgres', url: `${base}${rest}`, schema, poolSize, timeoutMs };
}
