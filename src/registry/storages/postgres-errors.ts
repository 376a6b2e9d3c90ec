/** What a failure of PostgreSQL, or on the way to it, means here, and what to do about it. */
import { type ErrorCode, NautilusError } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';
import { toCallFailure } from './call-failure.ts';

/** No answer within the deadline: the statement may be at work still. */
export class PostgresSilence extends Error {
  override readonly name = 'PostgresSilence';
}

/** By SQLSTATE (PostgreSQL manual, appendix A): what no retry will mend, only whoever runs the node or the server. */
const MISCONFIGURED: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong: correct the --storage URL',
  '28000':
    'the server does not let this user in: check the user in the --storage URL, TLS (?sslmode=…) and pg_hba.conf',
  '3D000': 'the database does not exist: create it (createdb), or correct the --storage URL',
  '42501':
    'this user has not the rights: GRANT CREATE ON DATABASE lets it make its schema; or name one that it owns with ?schema=…',
  '25006': 'the server is read-only (a standby, or default_transaction_read_only): use the primary',
};

/** By SQLSTATE: what may pass. */
const BY_STATE: Readonly<Record<string, string>> = {
  '53200': 'the server is out of memory: give it more, or close other connections',
  '53300': 'the server has too many connections: raise its max_connections, or lower ?poolSize=…',
  '53400': 'a limit of the server is exceeded: see its log',
  '55P03': 'somebody else holds a lock on the tables: see pg_locks',
  '57014': 'the server cancelled it, being too slow: find out what keeps it busy, or raise ?timeoutMs=…',
  '57P01': 'the server shuts down or cut the connection: it is tried again with the next call',
  '57P02': 'the server crashed: it is tried again with the next call',
  '57P03': 'the server is starting or stopping: try again in a moment',
  '42P01': 'the tables are gone: restart the node to make them anew, or restore them',
  '3F000': 'the schema is gone: restart the node to make it anew, or restore it',
  '58030': 'the server could not read or write its files: check its disk',
};

const BY_SYSTEM_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start the server, or correct the --storage URL',
  ENOTFOUND: 'the host is unknown: correct the --storage URL',
  EAI_AGAIN: 'the host name cannot be resolved now: check the network',
  EHOSTUNREACH: 'the host cannot be reached: check the network',
  ENETUNREACH: 'the host cannot be reached: check the network',
  ENOENT: 'there is no such socket: start the server, or correct ?host=…',
  EACCES: 'this user may not open the socket: check its permissions',
  ECONNRESET: 'the connection was cut: it is tried again with the next call',
  EPIPE: 'the connection was cut: it is tried again with the next call',
};

/** The server answered, and the connection goes on. Class 57 but for a cancelled statement, and 08, say that it does not. */
export function isAnswer(error: unknown): boolean {
  const state = sqlState(error);
  return state === '57014' || (state !== undefined && !/^(?:08|57)/.test(state));
}

/** SQLSTATE of an error that the server sent. */
export function sqlState(error: unknown): string | undefined {
  // Codes of the system have five letters too ("EPIPE"), but only the server's errors have a severity.
  return error instanceof Error && 'severity' in error ? textField(error, 'code') : undefined;
}

/**
 * Any failure of opening.
 * @param where as in "PostgreSQL at host:5432/database": never with a password
 * @returns `CONFIG_INVALID`, `STORAGE_FAILED`, `DISK_FULL`, `STORAGE_DAMAGED`; a NautilusError as it is
 */
export function toPostgresError(where: string, error: unknown): NautilusError {
  if (error instanceof NautilusError) return error;
  const state = sqlState(error);
  const reason = error instanceof Error ? error.message : String(error);
  const details = state === undefined ? {} : { sqlState: state };
  const failed = (advice: string, code: ErrorCode = 'STORAGE_FAILED') =>
    new NautilusError(code, `${where}: ${advice}`, { cause: error, details });
  const invalid = (advice: string) => misconfigured(`${where}: ${advice}`, { cause: error, details });

  if (error instanceof PostgresSilence) return failed(`${reason}: check the server and the network`);
  if (state === '53100') return failed('the disk of the server is full: free some space, then try again', 'DISK_FULL');
  if (state === 'XX001' || state === 'XX002')
    return failed(`its files are damaged (${reason}): restore the database from a copy`, 'STORAGE_DAMAGED');
  if (state !== undefined) {
    const problem = MISCONFIGURED[state];
    if (problem !== undefined) return invalid(`${problem} (${reason})`);
    return failed(`${BY_STATE[state] ?? 'see the log of the server'} (${reason})`);
  }
  const systemCode = (error instanceof Error && textField(error, 'code')) || '';
  const advice = BY_SYSTEM_CODE[systemCode];
  if (advice !== undefined) return failed(`${advice} (${systemCode})`);
  if (reason.startsWith('SASL')) return invalid('the server asks for a password: put one into the --storage URL');
  // What it says when the server answered neither yes nor no: it may have been out of connections.
  const isUnsure = reason.startsWith('There was an error establishing');
  if (!isUnsure && /SSL|TLS|certificate|self.signed/i.test(`${systemCode} ${reason}`))
    return invalid(`no TLS connection (${reason}): check ?sslmode=…, ?sslrootcert=… and the server's certificate`);
  return failed(`${reason}: it is tried again with the next call`);
}

export function toPostgresCallError(where: string, error: unknown): NautilusError {
  const problem = toPostgresError(where, error);
  return toCallFailure(problem, problem.details);
}

function textField(error: Error, name: string): string | undefined {
  const value = (error as unknown as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : undefined;
}
