/**
 * What is said to PostgreSQL about entries: one statement per operation, for as many keys as there are. Deadlines are judged by the clock of
 * the storage, passed along, never by the server's. Every statement takes arrays and names no key twice.
 */
import { assert } from '../../core/index.ts';
import { toByteText } from '../byte-text.ts';
import type { StorageEntry, StoredEntry, StoreIfOperation } from '../storage.ts';
import { byteaArray, int8Array } from './postgres-arrays.ts';
import type { PostgresQuery } from './postgres-session.ts';

type Row = readonly unknown[];

export interface KeyedEntry {
  readonly key: Uint8Array;
  readonly entry: StorageEntry;
}

const ABSENT = 0;

/**
 * Whether a row is live at the time in parameter `n`. Written so that no plan takes the index of deadlines for it: nearly everything is live,
 * and rows are found by their keys.
 */
function isLive(n: number, row = 'held'): string {
  return `${row}.expires_at - $${n}::int8 > 0`;
}

export class PostgresStatements {
  readonly #table: string;

  /** @param schema an identifier, unquoted */
  constructor(schema: string) {
    this.#table = `${quoteIdentifier(schema)}.entries`;
  }

  /** Rows for `toStoredEntry`, in no order; absent keys have none. */
  retrieve(keys: readonly Uint8Array[], now: number): PostgresQuery {
    const text = `SELECT key, value, version, expires_at FROM ${this.#table} AS held
      WHERE key = ANY ($1::bytea[]) AND ${isLive(2)}`;
    return { name: 'retrieve', text, values: [byteaArray(keys), now] };
  }

  /** One row when there is a live entry. */
  contains(key: Uint8Array, now: number): PostgresQuery {
    const text = `SELECT true FROM ${this.#table} AS held WHERE key = $1::bytea AND ${isLive(2)}`;
    return { name: 'contains', text, values: [toBuffer(key), now] };
  }

  /**
   * Rows for `toMismatch`: of each operation that was not done, its place in the list and what is there.
   * At READ COMMITTED what decides is the newest row, waited for where it is locked; what is shown is as of the statement's start.
   */
  storeIf(operations: readonly StoreIfOperation[], now: number): PostgresQuery {
    const table = this.#table;
    const text = `
      WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest($1::bytea[], $2::int8[], $3::bytea[], $4::int8[], $5::int8[])
          WITH ORDINALITY AS wanted (key, expected, value, version, expires_at, place)
      ), claimed AS (
        INSERT INTO ${table} AS held (key, value, version, expires_at)
        SELECT key, value, version, expires_at FROM wanted WHERE expected = ${ABSENT}
        ON CONFLICT (key) DO UPDATE
          SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at
          WHERE NOT ${isLive(6)}
        RETURNING held.key
      ), replaced AS (
        UPDATE ${table} AS held
        SET value = wanted.value, version = wanted.version, expires_at = wanted.expires_at
        FROM wanted
        WHERE wanted.expected > ${ABSENT} AND held.key = wanted.key AND held.version = wanted.expected AND ${isLive(6)}
        RETURNING held.key
      )
      SELECT wanted.place, held.value, held.version, held.expires_at
      FROM wanted LEFT JOIN ${table} AS held ON held.key = wanted.key AND ${isLive(6)}
      WHERE wanted.key NOT IN (SELECT key FROM claimed UNION ALL SELECT key FROM replaced)`;
    const expected = operations.map((operation) => (operation.expected === 'absent' ? ABSENT : operation.expected));
    const [keys, ...columns] = toColumns(operations);
    return { name: 'store-if', text, values: [keys, int8Array(expected), ...columns, now] };
  }

  store(entries: readonly KeyedEntry[]): PostgresQuery {
    const text = `
      INSERT INTO ${this.#table} (key, value, version, expires_at)
      SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::int8[], $4::int8[])
      ON CONFLICT (key) DO UPDATE
        SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`;
    return { name: 'store', text, values: toColumns(entries) };
  }

  /** One row per live entry that was removed: its key. Expired ones go without a word. */
  remove(keys: readonly Uint8Array[], now: number): PostgresQuery {
    const text = `
      WITH removed AS (DELETE FROM ${this.#table} WHERE key = ANY ($1::bytea[]) RETURNING key, expires_at)
      SELECT key FROM removed WHERE ${isLive(2, 'removed')}`;
    return { name: 'remove', text, values: [byteaArray(keys), now] };
  }

  /** Rows for `toStoredEntry`, in key order. Two texts: only a bound that is there is a bound of the index. */
  scan(from: Uint8Array, before: Uint8Array | undefined, limit: number, now: number): PostgresQuery {
    const bound = before === undefined ? '' : 'AND key < $4::bytea';
    const text = `SELECT key, value, version, expires_at FROM ${this.#table} AS held
      WHERE key >= $1::bytea ${bound} AND ${isLive(2)} ORDER BY key LIMIT $3::int8`;
    const values: unknown[] = [toBuffer(from), now, limit];
    if (before !== undefined) values.push(toBuffer(before));
    return { name: before === undefined ? 'scan' : 'scan-bounded', text, values };
  }

  /** Counts live entries by the index of deadlines, hence in time proportional to them; the bytes are those on the server's disk. */
  size(now: number): PostgresQuery {
    const text = `SELECT count(*), pg_total_relation_size('${this.#table}'::regclass)
      FROM ${this.#table} WHERE expires_at > $1::int8`;
    return { name: 'size', text, values: [now] };
  }

  /** `rowCount` tells how many went. What somebody is writing at this moment is left for the next time: nobody waits for a sweep. */
  sweep(limit: number, now: number): PostgresQuery {
    const table = this.#table;
    const text = `
      DELETE FROM ${table} WHERE key = ANY (ARRAY(
        SELECT key FROM ${table} WHERE expires_at <= $1::int8 ORDER BY expires_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED))`;
    return { name: 'sweep', text, values: [now, limit] };
  }
}

export function toStoredEntry([key, ...entry]: Row): StoredEntry {
  return { key: bytes(key), ...toEntry(entry) };
}

/** Places count from 0. */
export function toMismatch([place, ...entry]: Row): { place: number; current: StorageEntry | undefined } {
  return { place: Number(place) - 1, current: entry[0] === null ? undefined : toEntry(entry) };
}

/** Of a row that begins with a key. */
export function rowKeyText([key]: Row): string {
  return toByteText(bytes(key));
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function toColumns(entries: readonly KeyedEntry[]): [Buffer, Buffer, Buffer, Buffer] {
  return [
    byteaArray(entries.map(({ key }) => key)),
    byteaArray(entries.map(({ entry }) => entry.value)),
    int8Array(entries.map(({ entry }) => entry.version)),
    int8Array(entries.map(({ entry }) => entry.expiresAt)),
  ];
}

function toEntry([value, version, expiresAt]: Row): StorageEntry {
  return { value: bytes(value), version: Number(version), expiresAt: Number(expiresAt) };
}

/** Without Buffer's own ideas of `slice`. */
function bytes(column: unknown): Uint8Array {
  assert(column instanceof Uint8Array, 'a bytea column is bytes');
  return new Uint8Array(column.buffer, column.byteOffset, column.length);
}

function toBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
