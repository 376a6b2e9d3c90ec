/** What can be wrong with a PostgreSQL server when a node starts: each is one line that says what to do, in a bounded time. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SILENT_OBSERVER } from '../../src/core/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { openStorage, type RegistryStorage } from '../../src/registry/index.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

const missing = missingPostgres();
let server: PostgresServer;
let count = 0;

beforeAll(async () => {
  if (missing !== undefined) return;
  server = await startPostgresServer();
  await server.query('CREATE ROLE guarded');
}, 60_000);
afterAll(() => server?.dispose());

/** Every character that has a meaning in a URL. */
const ODD_PASSWORD = 'r@#/?:%ght';
const options = { dataDir: '/nowhere', clock: systemClock, observer: SILENT_OBSERVER };

async function open(url: string, signal?: AbortSignal): Promise<RegistryStorage> {
  return openStorage(url, { ...options, signal });
}

/** Opens and closes; resolves with what the storage said of itself. */
async function visit(url: string): Promise<RegistryStorage['capabilities']> {
  const storage = await open(url);
  await storage.close();
  return storage.capabilities;
}

function refused(code: string, ...parts: readonly string[]) {
  return expect.objectContaining({ code, message: expect.stringMatching(new RegExp(parts.join('.*'))) });
}

/** A role of its own. @returns its name */
async function role(attributes = ''): Promise<string> {
  const name = `role_${count++}`;
  await server.query(`CREATE ROLE ${name} LOGIN ${attributes}`);
  return name;
}

/** A host that accepts, says `greeting` when there is one, and never answers. Closed when the test is over. */
async function host(greeting?: string): Promise<{ url: string; peer: Server }> {
  const peer = createServer((socket) => {
    socket.resume().on('error', () => {
      // Cut by the storage under test: that is what it does here.
    });
    if (greeting !== undefined) socket.end(greeting);
  });
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void peer.close());
  return { url: `postgres://127.0.0.1:${(peer.address() as AddressInfo).port}/db`, peer };
}

describe.skipIf(missing !== undefined)(missing ?? 'opening a PostgreSQL storage', () => {
  test('a wrong password is refused, and appears in no message', async () => {
    const name = await role(`PASSWORD '${ODD_PASSWORD}' IN ROLE guarded`);
    await expect(open(server.url(`${name}:wrong-secret`))).rejects.toThrow(
      refused('CONFIG_INVALID', `127.0.0.1:${server.port}/postgres: the password is wrong`),
    );
    await expect(open(server.url(`${name}:wrong-secret`))).rejects.not.toThrow('wrong-secret');
    await expect(open(server.url(name))).rejects.toThrow(refused('CONFIG_INVALID', 'asks for a password'));
    await expect(open(server.url('nobody'))).rejects.toThrow(refused('CONFIG_INVALID', 'check the user', 'nobody'));
    await server.query(`CREATE SCHEMA AUTHORIZATION ${name}`);
    await visit(`${server.url(`${name}:${encodeURIComponent(ODD_PASSWORD)}`)}?schema=${name}`);
  });

  test('a missing database is named, with the way to make one', async () => {
    await expect(open(server.url('postgres', 'nowhere'))).rejects.toThrow(
      refused('CONFIG_INVALID', '/nowhere: ', 'createdb'),
    );
  });

  test('a host where nothing listens is refused at once', async () => {
    const { url, peer } = await host();
    await new Promise((resolve) => peer.close(resolve));
    await expect(open(url)).rejects.toThrow(refused('STORAGE_FAILED', 'start the server', 'ECONNREFUSED'));
  });

  test('a unix socket that is not there is refused at once', async () => {
    await expect(open('postgres://someone@/db?host=/nowhere/at/all')).rejects.toThrow(
      refused('STORAGE_FAILED', '/nowhere/at/all', 'no such socket'),
    );
  });

  test('a host that accepts and never answers costs the deadline and no more', async () => {
    const { url } = await host();
    await expect(open(`${url}?timeoutMs=200`)).rejects.toThrow(
      refused('STORAGE_FAILED', 'no answer within 200 ms', 'check the server'),
    );
  });

  test('a host that speaks another protocol is refused', async () => {
    const { url } = await host('HTTP/1.1 400 Bad Request\r\n\r\n');
    await expect(open(url)).rejects.toThrow(refused('STORAGE_FAILED', 'Connection terminated'));
  });

  test('a caller who gives up while a host is silent gets the signal’s reason', async () => {
    const { url, peer } = await host();
    const abort = new AbortController();
    peer.once('connection', () => abort.abort(new Error('no longer wanted')));
    await expect(open(url, abort.signal)).rejects.toThrow('no longer wanted');
  });

  test('who may not create a schema is told how, and may use one that is there', async () => {
    const name = await role();
    await expect(open(server.url(name))).rejects.toThrow(refused('CONFIG_INVALID', 'GRANT CREATE ON DATABASE'));
    await server.query(`CREATE SCHEMA given AUTHORIZATION ${name}`);
    await visit(`${server.url(name)}?schema=given`);
    // And once the tables are there, without the right to make any.
    await server.query(`ALTER SCHEMA given OWNER TO postgres; GRANT USAGE ON SCHEMA given TO ${name}`);
    await visit(`${server.url(name)}?schema=given`);
  });

  test('a read-only role is refused', async () => {
    const name = await role('SUPERUSER');
    await server.query(`ALTER ROLE ${name} SET default_transaction_read_only = on`);
    await expect(open(server.url(name))).rejects.toThrow(refused('CONFIG_INVALID', 'read-only', 'use the primary'));
  });

  test('a schema of a newer version is refused and left as it is', async () => {
    const url = `${server.url()}?schema=newer`;
    await visit(url);
    await server.query('UPDATE newer.schema_version SET version = 99');
    await expect(open(url)).rejects.toThrow(refused('CONFIG_INVALID', 'version 99', 'update Nautilus'));
    expect(await server.query('SELECT version FROM newer.schema_version')).toEqual([{ version: 99 }]);
  });

  test('a schema with a version that is none is refused', async () => {
    const url = `${server.url()}?schema=strange`;
    await visit(url);
    await server.query('DELETE FROM strange.schema_version');
    await expect(open(url)).rejects.toThrow(refused('CONFIG_INVALID', 'the schema strange has version'));
  });

  test('tables of somebody else are left alone', async () => {
    await server.query('CREATE SCHEMA taken; CREATE TABLE taken.entries (id int)');
    await expect(open(`${server.url()}?schema=taken`)).rejects.toThrow(
      refused('CONFIG_INVALID', 'tables of somebody else', '\\?schema='),
    );
    expect(await server.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'taken'`)).toEqual([
      { tablename: 'entries' },
    ]);
  });

  test('two storages never share a schema, and side by side they do not see each other', async () => {
    const first = await open(`${server.url()}?schema=one`);
    await expect(open(`${server.url()}?schema=one&timeoutMs=3000`)).rejects.toThrow(
      refused('DATA_DIR_IN_USE', 'another node uses the schema one', 'backend \\d+, from 127.0.0.1', '\\?schema='),
    );
    const second = await open(`${server.url()}?schema=two`);
    const key = Uint8Array.of(1);
    await first.store(key, { value: key, version: 1, expiresAt: Number.MAX_SAFE_INTEGER });
    expect(await second.contains(key)).toBe(false);
    await Promise.all([first.close(), second.close()]);
    const again = await open(`${server.url()}?schema=one`);
    expect(await again.contains(key)).toBe(true);
    await again.close();
  });

  test('durable is what the server’s settings make it', async () => {
    expect(await visit(server.url())).toMatchObject({ persistent: true, durable: true });
    const name = await role('SUPERUSER');
    await server.query(`ALTER ROLE ${name} SET synchronous_commit = off`);
    expect(await visit(server.url(name))).toMatchObject({ persistent: true, durable: false });
  });

  test('TLS that the server does not speak, and a certificate that is no file, are refused', async () => {
    await expect(open(`${server.url()}?sslmode=require`)).rejects.toThrow(
      refused('CONFIG_INVALID', 'no TLS connection'),
    );
    await expect(open(`${server.url()}?sslrootcert=/nowhere.pem`)).rejects.toThrow(
      refused('CONFIG_INVALID', '/nowhere.pem'),
    );
  });

  test('TLS is spoken, and the certificate checked unless told otherwise', async () => {
    const file = (name: string) => join(server.directory, 'data', name);
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject];
    execFileSync('openssl', [...made, '-keyout', file('server.key'), '-out', file('server.crt')], { stdio: 'pipe' });
    // As the data directory itself: the server's user must own its key.
    const { uid, gid } = statSync(join(server.directory, 'data'));
    chownSync(file('server.key'), uid, gid);
    chmodSync(file('server.crt'), 0o644);
    await server.shutDown();
    await server.start({ ssl: 'on' });
    await expect(open(`${server.url()}?sslmode=require`)).rejects.toThrow(
      refused('CONFIG_INVALID', 'no TLS connection', 'sslrootcert'),
    );
    for (const rest of ['sslmode=no-verify', `sslmode=verify-full&sslrootcert=${file('server.crt')}`]) {
      const storage = await open(`${server.url()}?${rest}`);
      const uses = `SELECT bool_and(ssl) AS all_tls FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'nautilus'`;
      expect(await server.query(uses)).toEqual([{ all_tls: true }]);
      await storage.close();
    }
  });

  test('a unix socket is a way in', async () => {
    await visit(`postgres://postgres@/postgres?host=${server.directory}&port=${server.port}&schema=by_socket`);
  });

  test('a server with fsync off is not durable, and a standby is refused', async () => {
    await visit(server.url());
    await server.shutDown();
    await server.start({ fsync: 'off' });
    expect(await visit(server.url())).toMatchObject({ durable: false });
    await server.shutDown();
    writeFileSync(join(server.directory, 'data', 'standby.signal'), '');
    await server.start();
    await expect(open(server.url())).rejects.toThrow(refused('CONFIG_INVALID', 'read-only', 'standby'));
  });
});
