import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseListAddress } from '../../../src/bootstrap/bootstrap-service.ts';
import { parseRendezvousAddress } from '../../../src/bootstrap/parse-peer-sources.ts';
import { parsePeerAddress } from '../../../src/bootstrap/peer-address.ts';
import { isNautilusError } from '../../../src/core/index.ts';
import { type ConfigSources, loadConfig, resolveConfig } from '../../../src/node/config.ts';
import { CONFIG_FIELDS, configFields } from '../../../src/node/config-fields.ts';
import { checkStorageUrl, parseShardUrls } from '../../../src/registry/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const grammar = {
  parsePeerAddress,
  parseRendezvousAddress,
  parseListAddress,
  parseStorage: checkStorageUrl,
  checkStorages: parseShardUrls,
};
const fresh = temporaryDirectory();

const resolve = (sources: Partial<ConfigSources>) => resolveConfig({ flags: {}, env: {}, ...sources }, grammar);
const fromFile = (values: Record<string, unknown>) => resolve({ file: { path: '/d/config.json', values } });

function problems(sources: Partial<ConfigSources>): readonly string[] {
  try {
    resolve(sources);
  } catch (error) {
    if (isNautilusError(error, 'CONFIG_INVALID')) return error.details.problems as string[];
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('has defaults that make a node of the main network', () => {
    expect(resolve({ flags: { dataDir: '/d' } })).toEqual({
      dataDir: '/d',
      listen: ['/ip4/0.0.0.0/tcp/4801'],
      listenIsDefault: true,
      announce: [],
      bootstrap: [],
      network: 'main',
      storage: ['lmdb:'],
      mode: 'server',
      mdns: false,
      rendezvous: [],
      logLevel: 'info',
      list: undefined,
      limits: { maxConnections: 300, maxRecords: 1_000_000, maxBytes: 4 * 1024 ** 3 },
    });
  });

  it('takes flags over variables over the file over defaults', () => {
    const file = { path: '/d/config.json', values: { network: 'file', mode: 'client', logLevel: 'error' } };
    const env = { NAUTILUS_NETWORK: 'env', NAUTILUS_MODE: 'bootstrap' };
    expect(resolve({ flags: { network: 'flag' }, env, file })).toMatchObject({
      network: 'flag',
      mode: 'bootstrap',
      logLevel: 'error',
      mdns: false,
    });
  });

  it('knows an address that somebody chose from the default, even when they are equal', () => {
    expect(resolve({ flags: { listen: ['/ip4/0.0.0.0/tcp/4801'] } }).listenIsDefault).toBe(false);
    expect(resolve({ env: { NAUTILUS_LISTEN: '' } }).listenIsDefault).toBe(true);
  });

  it('reads lists, switches, counts and sizes from variables', () => {
    const env = {
      NAUTILUS_LISTEN: '/ip4/127.0.0.1/tcp/0, /ip6/::1/tcp/4801',
      NAUTILUS_BOOTSTRAP: 'https://example.org/peers /dnsaddr/example.org',
      NAUTILUS_MDNS: 'yes',
      NAUTILUS_MAX_CONNECTIONS: '50',
      NAUTILUS_MAX_BYTES: '512MiB',
    };
    expect(resolve({ env })).toMatchObject({
      listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/4801'],
      bootstrap: ['https://example.org/peers', '/dnsaddr/example.org'],
      mdns: true,
      limits: { maxConnections: 50, maxBytes: 512 * 1024 ** 2 },
    });
    expect(resolve({ env: { NAUTILUS_MDNS: 'off' } }).mdns).toBe(false);
  });

  it('reads every field from the file', () => {
    const values = {
      listen: ['/ip4/10.0.0.1/tcp/4801'],
      announce: ['/dns4/node.example.org/tcp/4801'],
      bootstrap: ['/ip4/10.0.0.2/tcp/4801'],
      network: 'lab',
      storage: 'memory:',
      mode: 'bootstrap',
      mdns: true,
      rendezvous: ['/ip4/10.0.0.3/tcp/4001'],
      logLevel: 'debug',
      list: '127.0.0.1:8480',
      maxConnections: 10,
      maxRecords: 20,
      maxBytes: 1_048_576,
    };
    const { maxConnections, maxRecords, maxBytes, ...rest } = values;
    expect(fromFile(values)).toMatchObject({
      ...rest,
      storage: ['memory:'],
      list: { host: '127.0.0.1', port: 8480 },
      limits: { maxConnections, maxRecords, maxBytes },
    });
    expect(Object.keys(values).toSorted()).toEqual(Object.keys(configFields(grammar)).toSorted());
  });

  it('names every bad field in one line, each with what it should look like', () => {
    const sources = {
      flags: { listen: ['127.0.0.1:4801', '/ip4/1.2.3.4/tcp/70000'], mode: 'leader' },
      env: { NAUTILUS_NETWORK: 'Main Net', NAUTILUS_MDNS: 'maybe' },
      file: { path: '/d/config.json', values: { logLevel: 'loud', bootstrap: ['10.0.0.2:4801'], port: 4801 } },
    };
    const found = problems(sources);
    for (const part of [
      '--listen: "127.0.0.1:4801" should look like /ip4/0.0.0.0/tcp/4801',
      '"70000" in "/ip4/1.2.3.4/tcp/70000" is not a port',
      '--mode: "leader" should be one of server, client, bootstrap',
      'NAUTILUS_NETWORK: "Main Net" should be 1 to 63 of a-z',
      'NAUTILUS_MDNS: "maybe" should be true or false',
      'logLevel in /d/config.json: "loud" should be one of silent',
      'bootstrap in /d/config.json: "10.0.0.2:4801" is not a peer address: it should look like /ip4/10.0.0.2/tcp/4801',
      'port in /d/config.json: unknown',
    ]) {
      expect(found.join('\n')).toContain(part);
    }
    expect(found.length).toBe(7);
    expect(() => resolve(sources)).toThrow(/^the configuration cannot be used: [^\n]+$/);
  });

  it.each([
    [{ listen: [] }, 'at least one address'],
    [{ listen: ['/ip4/1.2.3.4/udp/4801'] }, '/tcp/PORT'],
    [{ listen: ['/ip4/::1/tcp/4801'] }, 'not an IPv4 address'],
    [{ listen: ['/dns4/example.org/tcp/4801'] }, 'should look like'],
    [{ listen: ['/ip4/1.2.3.4/tcp/4801/ws'] }, '"/ws" at the end'],
    [{ listen: [4801] }, '4801 should be text'],
    [{ announce: ['/ip4/1.2.3.4/tcp/0'] }, 'not a port from 1'],
    [{ bootstrap: ['http://'] }, 'not a URL of a peer list'],
    [{ rendezvous: ['x'] }, 'not a peer address'],
    [{ network: '' }, 'should be 1 to 63'],
    [{ network: 'n'.repeat(64) }, 'should be 1 to 63'],
    [{ network: null }, 'null should be text'],
    [{ storage: ['sqlite:x'] }, 'the scheme "sqlite:" is unknown; known are memory:'],
    [{ storage: ['lmdb:?weight=many'] }, '"weight" must be a whole number'],
    [{ storage: [] }, 'at least one storage'],
    [{ storage: ['memory:', 'memory:?weight=2'] }, 'memory: is given twice'],
    [{ storage: ['memory:?copies=2', 'lmdb:?copies=1'] }, 'different things about ?copies='],
    [{ mdns: 'true' }, 'should be true or false'],
    [{ mode: 'bootstrap', list: '8480' }, 'not HOST:PORT'],
    [{ list: '127.0.0.1:8480' }, 'add --mode bootstrap'],
    [{ maxConnections: 0 }, 'whole number from 1'],
    [{ maxRecords: 1.5 }, 'whole number from 1'],
    [{ maxBytes: '4GB' }, 'should be a size such as'],
    [{ maxBytes: '1KiB' }, 'at least 1048576 bytes'],
    [{ dataDir: '/x' }, 'use --data-dir or NAUTILUS_HOME'],
    [{ constructor: 1 }, 'unknown'],
  ])('refuses %j', (values, part) => {
    expect(problems({ file: { path: '/d/config.json', values } })).toEqual([expect.stringContaining(part)]);
  });
});

describe('the file config.json', () => {
  async function load(content: string | undefined, env: Record<string, string> = {}) {
    const dataDir = await fresh();
    await mkdir(dataDir);
    if (content !== undefined) await writeFile(join(dataDir, 'config.json'), content);
    return loadConfig({ flags: { dataDir }, env }, grammar);
  }

  it('is read from the data directory', async () => {
    expect((await load('{"network":"lab"}')).network).toBe('lab');
  });

  it('may be missing, with its directory too', async () => {
    expect((await load(undefined)).network).toBe('main');
    expect((await loadConfig({ flags: { dataDir: await fresh() }, env: {} }, grammar)).network).toBe('main');
  });

  it.each(['{"network":', '[]', 'null', '"lab"'])('is refused by name when it holds %s', async (content) => {
    await expect(load(content)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/config\.json: it (is not JSON|should hold an object)/),
    });
  });

  it('is refused when it is a directory', async () => {
    const dataDir = await fresh();
    await mkdir(join(dataDir, 'config.json'), { recursive: true });
    await expect(loadConfig({ flags: { dataDir }, env: {} }, grammar)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
    });
  });
});

describe('the table of fields', () => {
  it('names every field once, with its own variable and a description', () => {
    expect(CONFIG_FIELDS.map(({ name }) => name)).toEqual(['dataDir', ...Object.keys(configFields(grammar))]);
    expect(new Set(CONFIG_FIELDS.map(({ env }) => env)).size).toBe(CONFIG_FIELDS.length);
    for (const { description } of CONFIG_FIELDS) expect(description).toMatch(/\.$/);
  });

  it('tells defaults that are the real ones', () => {
    const fields = Object.values(configFields(grammar));
    for (const { name, env, defaultValue, parse } of fields) {
      const row = CONFIG_FIELDS.find((each) => each.name === name);
      if (row === undefined || ['none', 'what it listens on'].includes(row.default)) {
        expect([undefined, []]).toContainEqual(defaultValue);
      } else expect(parse(row.default, 'env')).toEqual(defaultValue);
      expect(row?.env).toBe(env);
    }
  });
});
