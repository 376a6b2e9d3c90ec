/** What is agreed with a PostgreSQL server on every connection, and what there is to know about it. */
import type { PostgresQuery, RunQuery } from './postgres-session.ts';

export interface PostgresServerFacts {
  /** A standby, or set so for this user or database. */
  readonly isReadOnly: boolean;
  /** A commit that was acknowledged survives a crash. */
  readonly isDurable: boolean;
}

export async function serverFacts(run: RunQuery): Promise<PostgresServerFacts> {
  const text = `SELECT current_setting('transaction_read_only') = 'on',
    current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'`;
  const { rows } = await run({ text });
  const [isReadOnly, isDurable] = rows[0]!;
  return { isReadOnly: isReadOnly === true, isDurable: isDurable === true };
}

/**
 * For the session, over whatever the server, database or role says.
 * @param timeoutMs of a call: the server gives up a little sooner, so that a slow statement costs no connection
 */
export function sessionSettings(timeoutMs: number): PostgresQuery {
  const settings: Readonly<Record<string, string | number>> = {
    search_path: '',
    bytea_output: 'hex',
    client_min_messages: 'error',
    default_transaction_isolation: 'read committed',
    statement_timeout: Math.floor(timeoutMs * 0.9),
    lock_timeout: Math.floor(timeoutMs * 0.8),
    idle_in_transaction_session_timeout: timeoutMs,
    // A node whose machine died holds the schema's lock no longer than about a minute.
    tcp_keepalives_idle: 30,
    tcp_keepalives_interval: 10,
    tcp_keepalives_count: 3,
    tcp_user_timeout: 60_000,
    // Every statement walks the index that it is about, however many rows there are: no plan shall depend on statistics that are late.
    plan_cache_mode: 'force_generic_plan',
    enable_seqscan: 'off',
    enable_bitmapscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    jit: 'off',
  };
  const calls = Object.keys(settings).map((name, index) => `set_config('${name}', $${index + 1}, false)`);
  return { text: `SELECT ${calls.join(', ')}`, values: Object.values(settings).map(String) };
}
