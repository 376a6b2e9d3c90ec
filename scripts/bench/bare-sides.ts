/**
 * The bare drivers, used as somebody would who wrote the same thing by hand without a storage around it: entries that carry a version and a
 * deadline, found by key, and in key order. No bounds, no deadlines of calls, no checksums, no copies.
 */
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import pg from 'pg';
import { type BenchEntry, type StoreSide, scanPages } from './store-side.ts';

const HEAD_BYTES = 16;

function encode({ value, version, expiresAt }: BenchEntry): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + value.length);
  bytes.writeDoubleBE(version, 0);
  bytes.writeDoubleBE(expiresAt, 8);
  value.copy(bytes, HEAD_BYTES);
  return bytes;
}

function decode(bytes: Buffer | undefined | null) {
  return (
    bytes && {
      value: bytes.subarray(HEAD_BYTES),
      version: bytes.readDoubleBE(0),
      expiresAt: bytes.readDoubleBE(8),
    }
  );
}

/** A Map indexes text: making it of the key's bytes is part of any get. Its order is sorted for a scan after writes, and kept. */
export function bareMap(): StoreSide {
  const map = new Map<string, BenchEntry>();
  let order: string[] | undefined;
  const put = (entry: BenchEntry) => {
    map.set(entry.key.toString('latin1'), entry);
    order = undefined;
  };
  return {
    get: (key) => map.get(key.toString('latin1')),
    put,
    batch: (entries) => entries.forEach(put),
    scan: async (_limit, count) => {
      order ??= [...map.keys()].sort();
      return order.slice(0, count).map((text) => map.get(text)).length;
    },
    close: async () => map.clear(),
  };
}

/** As durable as ours: a put resolves when it is flushed. */
export function bareLmdb(directory: string): StoreSide {
  const db = open<Buffer, Buffer>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  return {
    get: (key) => decode(db.getBinary(key)),
    put: (entry) => db.put(entry.key, encode(entry)),
    batch: (entries) =>
      db.transaction(() => {
        for (const entry of entries) if (db.getBinary(entry.key) === undefined) void db.put(entry.key, encode(entry));
      }),
    scan: (limit, count) =>
      scanPages(limit, count, (after) => {
        const range = after === undefined ? { limit } : { start: Buffer.from(after), exclusiveStart: true, limit };
        const page = [...db.getRange(range)].map(({ key, value }) => ({ key, ...decode(value) }));
        return page.map(({ key }) => key);
      }),
    close: () => db.close(),
  };
}

/** Redis keeps no order: a sorted set beside the values does. */
export function bareRedis(port: number): StoreSide {
  const client = new Redis({ port, host: '127.0.0.1' });
  const index = 'bare:index';
  const lead = Buffer.from('bare:e:');
  const named = (key: Uint8Array) => Buffer.concat([lead, key]);
  const add = (pipeline: ReturnType<Redis['pipeline']>, entry: BenchEntry, isNew: boolean) => {
    const lifetimeMs = Math.ceil(entry.expiresAt - Date.now());
    if (isNew) pipeline.set(named(entry.key), encode(entry), 'PX', lifetimeMs, 'NX');
    else pipeline.set(named(entry.key), encode(entry), 'PX', lifetimeMs);
    return pipeline.zadd(index, 0, entry.key);
  };
  return {
    get: async (key) => decode(await client.getBuffer(named(key))),
    put: (entry) => add(client.pipeline(), entry, false).exec(),
    batch: (entries) => entries.reduce((all, entry) => add(all, entry, true), client.pipeline()).exec(),
    scan: (limit, count) =>
      scanPages(limit, count, async (after) => {
        const from = after === undefined ? '-' : Buffer.concat([Buffer.from('('), after]);
        const keys = await client.zrangebylexBuffer(index, from, '+', 'LIMIT', 0, limit);
        const values = keys.length === 0 ? [] : await client.mgetBuffer(keys.map(named));
        const page = values.map(decode);
        return keys.slice(0, page.length);
      }),
    close: () => client.quit(),
  };
}

export async function barePostgres(url: string, poolSize: number): Promise<StoreSide> {
  const pool = new pg.Pool({ connectionString: url, max: poolSize });
  await pool.query(`CREATE TABLE bare
    (key bytea PRIMARY KEY, value bytea NOT NULL, version bigint NOT NULL, expires_at bigint NOT NULL)`);
  await pool.query('CREATE INDEX ON bare (expires_at)');
  const row = ({ key, value, version, expiresAt }: BenchEntry) => [key, value, version, expiresAt];
  return {
    get: async (key) => {
      const text = 'SELECT value, version, expires_at FROM bare WHERE key = $1 AND expires_at > $2';
      return (await pool.query({ name: 'get', text, values: [key, Date.now()] })).rows[0];
    },
    put: (entry) => {
      const text = `INSERT INTO bare VALUES ($1, $2, $3, $4) ON CONFLICT (key)
        DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`;
      return pool.query({ name: 'put', text, values: row(entry) });
    },
    batch: (entries) => {
      const text = `INSERT INTO bare SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::int8[], $4::int8[])
        ON CONFLICT (key) DO NOTHING`;
      const rows = entries.map(row);
      return pool.query({
        name: 'batch',
        text,
        values: [0, 1, 2, 3].map((column) => rows.map((each) => each[column])),
      });
    },
    scan: (limit, count) =>
      scanPages(limit, count, async (after) => {
        const text = 'SELECT * FROM bare WHERE key > $1 AND expires_at > $2 ORDER BY key LIMIT $3';
        const values = [after ?? Buffer.alloc(0), Date.now(), limit];
        const { rows } = await pool.query<{ readonly key: Buffer }>({ name: 'scan', text, values });
        return rows.map(({ key }) => key);
      }),
    close: () => pool.end(),
  };
}
