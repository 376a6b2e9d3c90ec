/**
 * The tables, as migrations: each runs once, in order, all that are missing in one transaction. Whoever runs them holds the schema's lock
 * (postgres-lock.ts), so that two never do at once. A schema that a newer version wrote is refused, not guessed at.
 */
import { misconfigured } from '../misconfigured.ts';
import { sqlState } from './postgres-errors.ts';
import type { RunQuery } from './postgres-session.ts';
import { quoteIdentifier } from './postgres-statements.ts';

/** Never changed once released: add one. Given the quoted schema. */
const MIGRATIONS: readonly ((schema: string) => readonly string[])[] = [
  (schema) => [
    // Bytewise order is bytea's own. Values are signed and hardly shrink: kept as they are, the large ones outside the row.
    `CREATE TABLE ${schema}.entries (
      key bytea PRIMARY KEY,
      value bytea NOT NULL,
      version bigint NOT NULL,
      expires_at bigint NOT NULL
    )`,
    `ALTER TABLE ${schema}.entries ALTER COLUMN value SET STORAGE EXTERNAL`,
    `CREATE INDEX entries_by_deadline ON ${schema}.entries (expires_at)`,
  ],
];

const POSTGRES_SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Needs no right to create anything where all is there already.
 * @throws NautilusError `CONFIG_INVALID`, what the server says
 */
export async function migratePostgresSchema(run: RunQuery, schema: string, where: string): Promise<void> {
  const quoted = quoteIdentifier(schema);
  const found = await versionOf(run, schema);
  if (found === POSTGRES_SCHEMA_VERSION) return;
  if (found !== undefined && !(found >= 1 && found <= POSTGRES_SCHEMA_VERSION)) {
    throw misconfigured(
      `${where}: the schema ${schema} has version ${found}, this Nautilus knows up to ${POSTGRES_SCHEMA_VERSION}: update Nautilus, or name another with ?schema=…`,
      { details: { found, known: POSTGRES_SCHEMA_VERSION } },
    );
  }
  await run({ text: 'BEGIN' });
  if (found === undefined) {
    if (!(await hasSchema(run, schema))) await run({ text: `CREATE SCHEMA ${quoted}` });
    await run({ text: `CREATE TABLE ${quoted}.schema_version (version integer NOT NULL)` });
    await run({ text: `INSERT INTO ${quoted}.schema_version VALUES (0)` });
  }
  for (const statement of MIGRATIONS.slice(found ?? 0).flatMap((migration) => migration(quoted))) {
    await createOwn(run, statement, schema, where);
  }
  await run({ text: `UPDATE ${quoted}.schema_version SET version = ${POSTGRES_SCHEMA_VERSION}` });
  await run({ text: 'COMMIT' });
}

/** Undefined: nothing of ours is there. NaN: something that is no version. */
async function versionOf(run: RunQuery, schema: string): Promise<number | undefined> {
  const table = `${quoteIdentifier(schema)}.schema_version`;
  const { rows: found } = await run({ text: 'SELECT to_regclass($1)', values: [table] });
  if (found[0]?.[0] === null) return undefined;
  const { rows } = await run({ text: `SELECT version FROM ${table}` });
  return rows.length === 1 ? Number(rows[0]![0]) : Number.NaN;
}

async function hasSchema(run: RunQuery, schema: string): Promise<boolean> {
  const { rows } = await run({ text: 'SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', values: [schema] });
  return rows.length > 0;
}

async function createOwn(run: RunQuery, statement: string, schema: string, where: string): Promise<void> {
  try {
    await run({ text: statement });
  } catch (error) {
    if (sqlState(error) !== '42P07') throw error;
    const problem = `the schema ${schema} has tables of somebody else: name another with ?schema=…`;
    throw misconfigured(`${where}: ${problem}`, { cause: error });
  }
}
