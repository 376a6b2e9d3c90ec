/** The control door over a real socket: what a caller can rely on, and what no caller can do to a node. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type ControlClient, connectControl, streamBatch } from '../../src/client/index.ts';
import { encodeMessage, type NodeApi } from '../../src/commands/index.ts';
import type { NodeEvent } from '../../src/core/index.ts';
import { NautilusError } from '../../src/core/index.ts';
import { createControlServer } from '../../src/servers/control/index.ts';
import { createMemoryNode } from '../support/memory-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const cleanup: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function serve(api: NodeApi = createMemoryNode(), options: { dataDir?: string; maxConnections?: number } = {}) {
  const dataDir = options.dataDir ?? (await directory());
  await mkdir(dataDir, { recursive: true });
  const events: NodeEvent[] = [];
  const observer = { notify: (event: NodeEvent) => void events.push(event) };
  const server = await createControlServer({ api, dataDir, observer, maxConnections: options.maxConnections });
  cleanup.push(() => server.close());
  return { server, dataDir, events };
}

async function callerOf(dataDir: string): Promise<ControlClient> {
  const client = await connectControl({ dataDir });
  cleanup.push(() => client.close());
  return client;
}

/** A caller without manners: writes what it likes, reads lines. */
async function rawCaller(path: string) {
  const socket: Socket = connect(path);
  cleanup.push(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  let text = '';
  let notify: () => void = () => undefined;
  let ended = false;
  socket.on('data', (chunk) => {
    text += chunk.toString();
    notify();
  });
  socket.on('close', () => {
    ended = true;
    notify();
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
  };
  return {
    socket,
    async line(): Promise<Record<string, never> & { id: unknown }> {
      await until(() => text.includes('\n') || ended);
      const end = text.indexOf('\n');
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return JSON.parse(line);
    },
    ended: () => until(() => ended),
  };
}

/** Resolves when the gate is opened, or rejects when `signal` aborts first. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function* numbers(count: number, onStep: (n: number) => void = () => undefined) {
  for (let n = 0; n < count; n++) {
    onStep(n);
    yield { key: `k${n}`, publisher: 'p', seq: n, expiresAt: 0, bytes: 0, rank: 1 };
  }
}

describe('a caller', () => {
  it('puts, gets and hears of errors with their code and details', async () => {
    const { dataDir } = await serve(
      createMemoryNode({
        delete: () => Promise.reject(new NautilusError('CONFLICT', 'another won', { details: { publishers: ['p2'] } })),
      }),
    );
    const client = await callerOf(dataDir);
    expect(await client.call('put', { key: 'svc/web', value: 'v' })).toMatchObject({ key: 'svc/web' });
    expect(await client.call('get', { key: 'svc/web' })).toMatchObject({ value: 'v', encoding: 'utf8' });
    await expect(client.call('get', { key: 'nope' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.call('put', { key: 'k', value: 'v', ttl: '0s' })).rejects.toMatchObject({
      code: 'TTL_INVALID',
    });
    await expect(client.call('delete', { key: 'k' })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { publishers: ['p2'] },
    });
  });

  it('reads a stream of any length', async () => {
    const { dataDir } = await serve(createMemoryNode({ list: () => numbers(5_000) }));
    const client = await callerOf(dataDir);
    let next = 0;
    for await (const { seq } of client.stream('list', {})) expect(seq).toBe(next++);
    expect(next).toBe(5_000);
  });

  it('that reads slowly is waited for, and holds up nothing else it asked', async () => {
    let produced = 0;
    const { dataDir } = await serve(
      createMemoryNode({
        list: () =>
          numbers(100_000, (n) => {
            produced = n;
          }),
      }),
    );
    const client = await callerOf(dataDir);
    const slow = client.stream('list', {});
    await slow.next();
    // Two round trips later the node would be far ahead if nothing held it.
    for (const _ of [1, 2]) await client.call('put', { key: 'k', value: 'x'.repeat(60_000) });
    expect(produced).toBeLessThanOrEqual(64);
    await slow.return?.();
  });

  it('may ask within the loop over an answer', async () => {
    const node = createMemoryNode();
    const { dataDir } = await serve(node);
    const client = await callerOf(dataDir);
    const records = Array.from({ length: 300 }, (_, n) => ({ key: `k${n}`, value: `${n}` }));
    for await (const outcome of streamBatch(client, records, { verb: 'put' }))
      expect(outcome).not.toHaveProperty('error');
    let seen = 0;
    for await (const { key } of client.stream('list', {})) {
      expect((await client.call('get', { key })).value).toBe(key.slice(1));
      seen += 1;
    }
    expect(seen).toBe(300);
  });

  it('that leaves the loop, aborts or disconnects ends the work in the node', async () => {
    for (const leave of ['return', 'abort', 'close'] as const) {
      const begun = gate();
      const ended = gate();
      const { dataDir } = await serve(
        createMemoryNode({
          async *list(options) {
            try {
              yield* numbers(1);
              begun.open();
              await untilAborted(options?.signal);
            } finally {
              ended.open();
            }
          },
        }),
      );
      const client = await callerOf(dataDir);
      const abort = new AbortController();
      const items = client.stream('list', {}, { signal: abort.signal });
      await items.next();
      await begun.opened;
      const rest = leave === 'return' ? undefined : items.next().catch((error: unknown) => error);
      if (leave === 'return') await items.return?.();
      if (leave === 'abort') abort.abort(new Error('enough'));
      if (leave === 'close') client.close();
      await ended.opened;
      if (leave === 'abort') expect(await rest).toMatchObject({ message: 'enough' });
      if (leave === 'close') expect(await rest).toMatchObject({ code: 'ABORTED' });
    }
  });

  it('may have more commands under way than the node takes: the rest waits its turn', async () => {
    const begun = gate();
    const go = gate();
    let waiting = 0;
    const { dataDir } = await serve(
      createMemoryNode({
        ping: async (peer) => {
          if (++waiting === 64) begun.open();
          await go.opened;
          return { peerId: peer, rttMs: 0 };
        },
      }),
    );
    const client = await callerOf(dataDir);
    const answers = Promise.all(Array.from({ length: 200 }, (_, n) => client.call('ping', { peer: `p${n}` })));
    await begun.opened;
    expect(waiting).toBe(64);
    go.open();
    expect((await answers).map(({ peerId }) => peerId)).toEqual(Array.from({ length: 200 }, (_, n) => `p${n}`));
  });

  it('is one of many', async () => {
    const node = createMemoryNode();
    const { dataDir } = await serve(node);
    const clients = await Promise.all(Array.from({ length: 20 }, () => callerOf(dataDir)));
    await Promise.all(
      clients.flatMap((client, c) =>
        Array.from({ length: 20 }, (_, n) => client.call('put', { key: `${c}/${n}`, value: `${c}.${n}` })),
      ),
    );
    expect(node.records.size).toBe(400);
    expect(await clients[7]?.call('get', { key: '3/4' })).toMatchObject({ value: '3.4' });
  });

  it('hears that the node went away', async () => {
    const begun = gate();
    const { dataDir, server } = await serve(
      createMemoryNode({
        ping: (_peer, options) => {
          begun.open();
          return untilAborted(options?.signal);
        },
      }),
    );
    const client = await callerOf(dataDir);
    const answer = client.call('ping', { peer: 'p' }).catch((error: unknown) => error);
    await begun.opened;
    await server.close();
    expect(await answer).toMatchObject({ code: 'ABORTED' });
    await client.closed;
    await expect(client.call('id', {})).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    await expect(connectControl({ dataDir })).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  });

  it('that asks for the stop is answered, although the door closes within it', async () => {
    const holder: { close?: () => Promise<void> } = {};
    const { dataDir, server } = await serve(createMemoryNode({ stop: async () => holder.close?.() }));
    holder.close = () => server.close();
    const client = await callerOf(dataDir);
    expect(await client.call('stop', {})).toMatchObject({ stopped: true });
    await client.closed;
  });
});

describe('streamBatch', () => {
  it('keeps the order over many commands and names what failed', async () => {
    const node = createMemoryNode();
    const { dataDir } = await serve(node);
    const client = await callerOf(dataDir);
    const records = Array.from({ length: 1_000 }, (_, n) =>
      n % 100 === 99 ? 'no record' : { key: `k${n}`, value: 'v' },
    );
    let index = 0;
    for await (const outcome of streamBatch(client, records, { verb: 'put', ttl: '5m' })) {
      if (index % 100 === 99) expect(outcome).toMatchObject({ key: null, error: { code: 'USAGE' } });
      else expect(outcome).toMatchObject({ key: `k${index}`, expiresAt: 1_000 + 300_000 });
      index += 1;
    }
    expect(index).toBe(1_000);
    expect(node.load.peak).toBeGreaterThan(16); // two commands at once
  });

  it('cuts large records into messages the node accepts', async () => {
    const node = createMemoryNode();
    const { dataDir } = await serve(node);
    const client = await callerOf(dataDir);
    // The worst JSON can do to 64 KiB: six characters a byte.
    const value = '\u0001'.repeat(65_536);
    const records = Array.from({ length: 12 }, (_, n) => ({ key: `k${n}`, value }));
    for await (const outcome of streamBatch(client, records, { verb: 'put' }))
      expect(outcome).not.toHaveProperty('error');
    const keys = records.map(({ key }) => key);
    let found = 0;
    for await (const outcome of streamBatch(client, keys, { verb: 'get' })) {
      expect(outcome).toMatchObject({ value });
      found += 1;
    }
    expect(found).toBe(12);
  });

  it('ends in both places when its reader leaves', async () => {
    const ended = gate();
    const { dataDir } = await serve(
      createMemoryNode({
        get: async (key, options) => {
          if (key === 'first') return createFound(key);
          await untilAborted(options?.signal).finally(ended.open);
          throw new Error('unreachable');
        },
      }),
    );
    const client = await callerOf(dataDir);
    for await (const outcome of streamBatch(client, ['first', 'second'], { verb: 'get' })) {
      expect(outcome.key).toBe('first');
      break;
    }
    await ended.opened;
  });
});

function createFound(key: string) {
  const records = [{ value: new Uint8Array(0), publisher: 'p', seq: 1, expiresAt: 1 }];
  return { key, records, asked: 1, agreed: 1, partial: false, degraded: false, hops: 0, requests: 0, elapsedMs: 0 };
}

describe('bytes that are no messages', () => {
  it('are answered and cost the caller its line, not its connection', async () => {
    const { server } = await serve();
    const caller = await rawCaller(server.path);
    const bad: (string | Uint8Array)[] = [
      'nonsense\n',
      '[1]\n',
      '7\n',
      '{}\n',
      '{"id":-1,"command":"id"}\n',
      '{"id":1.5}\n',
      '{"id":"x"}\n',
      Uint8Array.of(0x22, 0xff, 0xfe, 0x22, 0x0a),
    ];
    for (const line of bad) {
      caller.socket.write(line);
      expect(await caller.line()).toMatchObject({ id: null, error: { code: 'MALFORMED' } });
    }
    caller.socket.write('{"id":4}\n{"id":5,"command":"id","window":-1}\n\n');
    expect(await caller.line()).toMatchObject({ id: 4, error: { code: 'MALFORMED' } });
    expect(await caller.line()).toMatchObject({ id: 5, error: { code: 'MALFORMED' } });
    caller.socket.write('{"id":6,"cancel":true}\n{"id":6,"more":1}\n{"id":7,"command":"id"}\n');
    expect(await caller.line()).toMatchObject({ id: 7, item: { peerId: expect.any(String) } });
    expect(await caller.line()).toEqual({ id: 7, done: true });
  });

  it('arrive one at a time without being misread', async () => {
    const { server } = await serve();
    const caller = await rawCaller(server.path);
    for (const byte of Buffer.from('{"id":1,"command":"get","input":{"key":"é"}}\n'))
      caller.socket.write(Uint8Array.of(byte));
    expect(await caller.line()).toMatchObject({
      id: 1,
      error: { code: 'NOT_FOUND', message: expect.stringContaining('é') },
    });
  });

  it('without an end are cut off at the limit', async () => {
    const { server, dataDir } = await serve();
    const caller = await rawCaller(server.path);
    const block = Buffer.alloc(65_536, 'x');
    for (let sent = 0; sent < 10_485_760; sent += block.length) caller.socket.write(block);
    expect(await caller.line()).toMatchObject({ id: null, error: { code: 'MALFORMED' } });
    await caller.ended();
    expect(await (await callerOf(dataDir)).call('id', {})).toHaveProperty('peerId');
  });

  it('include an id that is under way, and more commands than one connection may have', async () => {
    const { server } = await serve(createMemoryNode({ ping: (_peer, options) => untilAborted(options?.signal) }));
    const caller = await rawCaller(server.path);
    const command = (id: number) => encodeMessage({ id, command: 'ping', input: { peer: 'p' } });
    caller.socket.write(command(1) + command(1));
    expect(await caller.line()).toMatchObject({ id: null, error: { code: 'MALFORMED' } });
    for (let id = 2; id <= 65; id++) caller.socket.write(command(id));
    expect(await caller.line()).toMatchObject({ id: 65, error: { code: 'RESOURCE_EXHAUSTED' } });
    caller.socket.write('{"id":3,"cancel":true}\n');
    expect(await caller.line()).toMatchObject({ id: 3, error: { code: 'ABORTED' } });
  });

  it('include a command this node does not have', async () => {
    const { server } = await serve();
    const caller = await rawCaller(server.path);
    caller.socket.write('{"id":1,"command":"frob"}\n');
    expect(await caller.line()).toMatchObject({ id: 1, error: { code: 'UNSUPPORTED' } });
  });
});

describe('a caller that writes and never reads', () => {
  it('is not read from any further, and others are served', async () => {
    const { server, dataDir } = await serve();
    const socket = connect(server.path);
    cleanup.push(() => socket.destroy());
    socket.pause();
    // Every line is answered by a longer one: left alone, the node would buffer them all.
    const lines = Buffer.from('{"id":0}\n'.repeat(20_000));
    let accepted = 0;
    const blocked = new Promise<void>((resolve) => {
      const write = () => {
        if (accepted >= 64) resolve();
        else if (socket.write(lines, () => accepted++)) write();
        else socket.once('drain', write);
      };
      write();
    });
    const client = await callerOf(dataDir);
    for (let n = 0; n < 50; n++) await client.call('put', { key: 'k', value: 'v' });
    const outcome = await Promise.race([blocked.then(() => 'swallowed'), client.call('id', {}).then(() => 'held')]);
    expect(outcome).toBe('held');
    expect(accepted).toBeLessThan(64);
  });
});

describe('the node', () => {
  it('says that a connection is one too many', async () => {
    const { server, dataDir } = await serve(createMemoryNode(), { maxConnections: 2 });
    const [first] = [await callerOf(dataDir), await callerOf(dataDir)];
    await first?.call('id', {});
    const third = await rawCaller(server.path);
    expect(await third.line()).toMatchObject({ id: null, error: { code: 'RESOURCE_EXHAUSTED' } });
    await third.ended();
    first?.close();
    await first?.closed;
  });

  it('tells its observer of a bug, and the caller that it is one', async () => {
    const { dataDir, events } = await serve(
      createMemoryNode({ status: () => Promise.reject(new TypeError('x is undefined')) }),
    );
    const client = await callerOf(dataDir);
    await expect(client.call('status', {})).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(events).toMatchObject([{ type: 'warning', code: 'COMMAND_FAILED' }]);
    expect(await client.call('id', {})).toHaveProperty('peerId');
  });
});

describe('the socket', () => {
  it('is in the data directory, for its owner only, and gone after the close', async () => {
    const { server, dataDir } = await serve();
    expect(server.path).toBe(join(dataDir, 'control.sock'));
    expect((await stat(server.path)).mode & 0o777).toBe(0o600);
    await server.close();
    await expect(stat(server.path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is elsewhere when that path is too long, and is found all the same', async () => {
    const dataDir = join(await directory(), 'd'.repeat(120));
    const { server } = await serve(createMemoryNode(), { dataDir });
    expect(Buffer.byteLength(server.path)).toBeLessThanOrEqual(107);
    expect((await readFile(join(dataDir, 'control.path'), 'utf8')).trim()).toBe(server.path);
    expect((await stat(server.path)).mode & 0o777).toBe(0o600);
    expect(await (await callerOf(dataDir)).call('id', {})).toHaveProperty('peerId');
    // Two long directories never meet under one name.
    const other = await serve(createMemoryNode(), { dataDir: join(await directory(), 'd'.repeat(120)) });
    expect(other.server.path).not.toBe(server.path);
  });

  it('replaces one that a killed node left behind', async () => {
    const dataDir = await directory();
    await mkdir(dataDir, { recursive: true });
    const path = join(dataDir, 'control.sock');
    // A process that is killed leaves its socket file.
    const listen = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    expect(spawnSync(process.execPath, ['-e', listen, path]).signal).toBe('SIGKILL');
    expect((await stat(path)).isSocket()).toBe(true);
    await expect(connectControl({ dataDir })).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    await serve(createMemoryNode(), { dataDir });
    expect(await (await callerOf(dataDir)).call('id', {})).toHaveProperty('peerId');
  });

  it('is not taken from a node that answers, nor from a file that is none', async () => {
    const { dataDir } = await serve();
    await expect(createControlServer({ api: createMemoryNode(), dataDir })).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
    });
    expect(await (await callerOf(dataDir)).call('id', {})).toHaveProperty('peerId');

    const inTheWay = await directory();
    await mkdir(inTheWay, { recursive: true });
    await writeFile(join(inTheWay, 'control.sock'), 'mine');
    await expect(createControlServer({ api: createMemoryNode(), dataDir: inTheWay })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
    });
    expect(await readFile(join(inTheWay, 'control.sock'), 'utf8')).toBe('mine');
  });
});

describe('connectControl', () => {
  it('says what to do when no node runs there', async () => {
    const dataDir = await directory();
    const error = await connectControl({ dataDir }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'NODE_UNREACHABLE',
      message: expect.stringContaining(`nautilus start --data-dir ${dataDir}`),
    });
  });

  it('says so when something else than a node answers', async () => {
    const dataDir = await directory();
    await mkdir(dataDir, { recursive: true });
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => stranger.listen(join(dataDir, 'control.sock'), resolve));
    cleanup.push(() => stranger.close());
    const client = await callerOf(dataDir);
    await expect(client.call('id', {})).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  });
});
