/**
 * Storages that a node cannot be started on: one line that says what to do, in a bounded time, and the data directory is free again. What can be
 * wrong with a server itself is in test/contract (`redis-opening`, `postgres-open`), damaged files in lmdb-damage, full disks in lmdb-disk-full.
 */
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNode, resolveConfig } from '../../src/node/index.ts';
import { nautilus, REPOSITORY } from '../support/cli.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { redisClients } from '../support/redis-client.ts';
import { redisMissing, redisServers } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LISTEN = '/ip4/127.0.0.1/tcp/0';
const directory = temporaryDirectory();
const sockets = new Set<Socket>();
let silent: Server;
let silentAt: string;
let closedAt: string;

beforeAll(async () => {
  silent = createServer((socket) => sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  const closed = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(silent, 'listening'), once(closed, 'listening')]);
  silentAt = addressOf(silent);
  closedAt = addressOf(closed);
  closed.close();
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a node whose storage', () => {
  const refused = async (code: string, message: RegExp, ...storage: readonly string[]) => {
    const dataDir = await directory();
    const start = async (urls: readonly string[]) =>
      createNode(await resolveConfig({ flags: { dataDir, listen: [LISTEN], storage: [...urls] }, env: {} }));
    await expect(start(storage)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await (await start(['memory:'])).stop();
  };

  it('is a redis nobody runs, is not started', () =>
    refused('STORAGE_FAILED', /cannot be reached \(ECONNREFUSED\)/, `redis://${closedAt}`));
  it('is a PostgreSQL nobody runs, is not started', () =>
    refused('STORAGE_FAILED', /ECONNREFUSED|cannot be reached/, `postgres://me@${closedAt}/db`));
  it('is a redis that accepts and never answers, is not started', () =>
    refused('STORAGE_FAILED', /did not answer within 0\.3 s/, `redis://${silentAt}?timeoutMs=300`));
  it('is a PostgreSQL that accepts and never answers, is not started', () =>
    refused('STORAGE_FAILED', /no answer within 300 ms/, `postgres://me@${silentAt}/db?timeoutMs=300`));
  it('is a new ring of which one never answers, is not started', () =>
    refused('STORAGE_FAILED', /did not answer/, 'memory:', `redis://${silentAt}?timeoutMs=300`));
  it('is a new ring of which two are one directory, is not started', async () => {
    const path = await directory();
    await refused('CONFIG_INVALID', /given twice: give each shard/, `lmdb:${path}?name=a`, `lmdb:${path}?name=b`);
  });
});

/** What each keeps its version in, marked as it was opened; what has no mark is of the first. */
describe('a storage that a newer version wrote is not started on, alone or in a ring:', () => {
  const startRedis = redisServers();
  const connect = redisClients();
  let postgres: PostgresServer | undefined;
  afterAll(() => postgres?.dispose());

  const expectRefused = async (url: string, setVersion: (version: string | undefined) => Promise<unknown>) => {
    const [dataDir, beside] = [await directory(), `lmdb:${await directory()}`];
    const visit = async (...storage: string[]) => {
      const config = await resolveConfig({ flags: { dataDir, listen: [LISTEN], storage }, env: {} });
      await (await createNode(config)).stop();
    };
    await visit(url, beside);
    await setVersion('99');
    const isRefused = { code: 'CONFIG_INVALID', message: expect.stringMatching(/version 99, .* up to 1: update Naut/) };
    await expect(visit(url, beside)).rejects.toMatchObject(isRefused);
    await expect(visit(url)).rejects.toMatchObject(isRefused);
    await setVersion('1');
    await visit(url, beside);
    await setVersion(undefined);
    await visit(url, beside);
  };

  it('LMDB', async () => {
    const path = await directory();
    const file = join(path, 'format-version');
    await expectRefused(`lmdb:${path}`, (version) => (version === undefined ? rm(file) : writeFile(file, version)));
    expect(await readFile(file, 'utf8')).toBe('1\n');
    expect(await readdir(path)).not.toContain('format-version.new');
  });

  it('Redis', async (context) => {
    const missing = redisMissing();
    if (missing !== undefined) context.skip(missing);
    const { url, port } = await startRedis();
    const admin = connect(port);
    const key = '{nautilus}:format';
    await expectRefused(url, (version) => (version === undefined ? admin.del(key) : admin.set(key, version)));
    expect(await admin.get(key)).toBe('1');
  });

  it('PostgreSQL', async (context) => {
    const missing = missingPostgres();
    if (missing !== undefined) context.skip(missing);
    postgres = await startPostgresServer();
    // The tables came with it: there is no schema without a version.
    const set = (version = '1') => postgres!.query(`UPDATE nautilus.schema_version SET version = ${version}`);
    await expectRefused(postgres.url(), set);
  }, 60_000);
});

describe('nautilus start', () => {
  it('ends when its storage accepts and never answers: exit 1 and one line', async () => {
    const storage = `redis://:secret@${silentAt}?timeoutMs=300`;
    const dataDir = await directory();
    const { code, stdout, stderr } = await nautilus(['start', '--data-dir', dataDir, '--storage', storage]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^[^\n]*did not answer within 0\.3 s[^\n]*\n$/),
    });
    expect(stderr).not.toContain('secret');
  });

  it.each([
    ['ioredis', 'redis://127.0.0.1'],
    ['pg', 'postgres://me@127.0.0.1/db'],
  ])('names the command that installs %s where it is missing: exit 2 and one line', async (name, storage) => {
    const bin = await installedWithout(name);
    const dataDir = await directory();
    const { code, stdout, stderr } = await nautilus(['start', '--data-dir', dataDir, '--storage', storage], { bin });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^[^\\n]*which is not installed: npm install ${name}\\n$`)),
    });
  });
});

/** The compiled package as somebody has it who did not install an optional peer. @returns its bin */
async function installedWithout(name: string): Promise<string> {
  const root = await directory();
  await mkdir(join(root, 'node_modules'), { recursive: true });
  for (const file of ['dist', 'package.json']) await cp(join(REPOSITORY, file), join(root, file), { recursive: true });
  const packages = join(REPOSITORY, 'node_modules');
  for (const each of await readdir(packages)) {
    if (each !== name) await symlink(join(packages, each), join(root, 'node_modules', each));
  }
  return join(root, 'dist', 'src', 'cli', 'main.js');
}
