/**
 * One storage per schema: the connection that writes holds an advisory lock for as long as it lives, and every write goes over it.
 *
 * Why a lock and not a schema per node: two nodes on one schema would each count, limit and expire the other's records; refused is better
 * than mixed, and `?schema=` is there for those who want two. Why on the writing connection: a statement that was given up may still be at
 * work on the server, and would overwrite what was stored after it. The next writing connection gets the lock only when that one is over.
 */
import { createHash } from 'node:crypto';
import { NautilusError } from '../../core/index.ts';
import { sqlState } from './postgres-errors.ts';
import type { RunQuery } from './postgres-session.ts';

export interface PostgresLockComponents {
  readonly schema: string;
  /** For messages: which server. */
  readonly where: string;
}

/** A backend by process id and start: ids come again. */
type Backend = readonly [pid: unknown, startedAt: unknown];

export class PostgresLock {
  readonly #components: PostgresLockComponents;
  readonly #id: string;
  /** The last that got the lock, and the last that asked for it. */
  #holder: Backend | undefined;
  #asking: Backend | undefined;

  constructor(components: PostgresLockComponents) {
    this.#components = components;
    const digest = createHash('sha256').update(`nautilus storage ${components.schema}`).digest();
    this.#id = digest.readBigInt64BE().toString();
  }

  /**
   * Waits as long as the session's `lock_timeout`: a process that was killed is let go in a moment.
   * @throws NautilusError `DATA_DIR_IN_USE` when somebody else holds it
   */
  async acquire(run: RunQuery): Promise<void> {
    for (const former of [this.#holder, this.#asking]) {
      if (former === undefined) continue;
      // Ours of before, cut off or given up: whether it is at work still or not, it must come to an end.
      const text = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2';
      await run({ text, values: [...former] });
    }
    const text = 'SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()';
    const { rows } = await run({ text });
    const [pid, startedAt] = rows[0]!;
    this.#asking = [pid, startedAt];
    try {
      await run({ text: 'SELECT pg_advisory_lock($1::int8)', values: [this.#id] });
    } catch (error) {
      throw sqlState(error) === '55P03' ? await this.#refusal(run, error) : error;
    }
    this.#holder = [pid, startedAt];
    this.#asking = undefined;
  }

  async #refusal(run: RunQuery, cause: unknown): Promise<NautilusError> {
    const { schema, where } = this.#components;
    const { rows } = await run({
      text: `
        SELECT pid, backend_start::text, coalesce(host(client_addr), 'a local socket')
        FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND ((classid::int8 << 32) | objid::int8) = $1::int8
          AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      values: [this.#id],
    });
    const [pid, startedAt, address] = rows[0] ?? [];
    const isOwn = pid === this.#holder?.[0] && startedAt === this.#holder?.[1];
    if (isOwn) {
      const problem = 'the server has not finished an earlier write of this node: see what keeps it busy';
      return new NautilusError('STORAGE_FAILED', `${where}: ${problem}`, { cause });
    }
    const holder = `backend ${pid ?? 'gone by now'}, from ${address ?? 'nowhere'}`;
    return new NautilusError(
      'DATA_DIR_IN_USE',
      `${where}: another node uses the schema ${schema} (${holder}): stop it, or give each its own ?schema=…`,
      { cause },
    );
  }
}
