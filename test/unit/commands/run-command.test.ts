import { describe, expect, it } from 'vitest';
import { runCommand } from '../../../src/commands/index.ts';
import { isNautilusError, type NautilusError } from '../../../src/core/index.ts';
import { createMemoryNode } from '../../support/memory-node.ts';

async function run(node: ReturnType<typeof createMemoryNode>, name: string, input: unknown): Promise<object[]> {
  const items: object[] = [];
  for await (const item of runCommand(node, name, input)) items.push(item);
  return items;
}

async function failureOf(promise: Promise<unknown>): Promise<NautilusError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isNautilusError(error)) throw new Error(`expected a NautilusError, got ${String(error)}`);
  return error;
}

describe('put and get', () => {
  it('answer with exactly the fields of the contract', async () => {
    const node = createMemoryNode();
    const [stored] = await run(node, 'put', {
      key: 'svc/web',
      value: '10.0.0.5:80',
      ttl: '1h',
      quorum: 'one',
      strict: true,
    });
    expect(Object.keys(stored as object)).toEqual(
      'key seq publisher expiresAt receipt degraded requests elapsedMs'.split(' '),
    );
    expect(node.lastPut).toMatchObject({ ttlMs: 3_600_000, quorum: 'one', strict: true });
    const [found] = await run(node, 'get', { key: 'svc/web' });
    expect(Object.keys(found as object)).toEqual(
      'key value encoding publisher seq expiresAt asked agreed partial degraded hops requests elapsedMs'.split(' '),
    );
    expect(found).toMatchObject({ value: '10.0.0.5:80', encoding: 'utf8' });
  });

  it('carry bytes that are no text as base64, in and out', async () => {
    const node = createMemoryNode();
    await run(node, 'put', { key: 'k', value: '/wD+', encoding: 'base64' });
    expect(node.records.get('k')?.value).toEqual(Uint8Array.of(0xff, 0x00, 0xfe));
    expect((await run(node, 'get', { key: 'k' }))[0]).toMatchObject({ value: '/wD+', encoding: 'base64' });
  });

  it('bring keys to normal form C, so that what looks the same is the same key', async () => {
    const node = createMemoryNode();
    await run(node, 'put', { key: 'cafe\u0301', value: 'v' });
    expect([...node.records.keys()]).toEqual(['caf\u00e9']);
    expect(await run(node, 'get', { key: 'cafe\u0301' })).toHaveLength(1);
  });

  it('answer with every publisher when asked for all', async () => {
    const record = { value: new Uint8Array(1), publisher: 'p1', seq: 2, expiresAt: 3 };
    const facts = { asked: 2, agreed: 2, partial: false, degraded: false, hops: 1, requests: 2, elapsedMs: 1 };
    const node = createMemoryNode({
      get: async (key, options) => ({
        key,
        records: options?.all ? [record, { ...record, publisher: 'p2' }] : [record],
        ...facts,
      }),
    });
    expect(await run(node, 'get', { key: 'k', all: true })).toMatchObject([{ publisher: 'p1' }, { publisher: 'p2' }]);
    expect(await run(node, 'get', { key: 'k' })).toHaveLength(1);
  });

  it('accept a quorum as a number or as text', async () => {
    const node = createMemoryNode();
    for (const quorum of [3, '3']) {
      await run(node, 'put', { key: 'k', value: '', quorum });
      expect(node.lastPut?.quorum).toBe(3);
    }
  });
});

describe('bad input', () => {
  it('is refused with the code of the field', async () => {
    const node = createMemoryNode();
    const cases: readonly [object, string][] = [
      [{ value: 'v' }, 'KEY_INVALID'],
      [{ key: 7, value: 'v' }, 'KEY_INVALID'],
      [{ key: 'k', value: 'v', ttl: '0s' }, 'TTL_INVALID'],
      [{ key: 'k', value: 'v', ttl: 3_600 }, 'TTL_INVALID'],
      [{ key: 'k', value: 'v', quorum: '0' }, 'QUORUM_INVALID'],
      [{ key: 'k', value: 'v', quorum: 1.5 }, 'QUORUM_INVALID'],
      [{ key: 'k', value: 'v', quorum: 'most' }, 'QUORUM_INVALID'],
      [{ key: 'k' }, 'USAGE'],
      [{ key: 'k', value: 'v', encoding: 'hex' }, 'USAGE'],
      [{ key: 'k', value: '%', encoding: 'base64' }, 'USAGE'],
      [{ key: 'k', value: 'v', tll: '1h' }, 'USAGE'],
    ];
    for (const [input, code] of cases) {
      expect((await failureOf(run(node, 'put', input))).code, JSON.stringify(input)).toBe(code);
    }
    expect(node.records.size).toBe(0);
  });

  it('is named in full: every bad field in one line', async () => {
    const input = { key: 7, value: 'v', ttl: 'soon', quorum: 'most', colour: 'red' };
    const error = await failureOf(run(createMemoryNode(), 'put', input));
    expect(error.code).toBe('USAGE');
    for (const field of ['key', 'ttl', 'quorum', 'colour']) expect(error.message).toContain(`${field}: `);
    expect(error.message).not.toContain('\n');
  });

  it.each([null, 'text', 7, []])('that is no object at all (%j) is refused', async (input) => {
    expect((await failureOf(run(createMemoryNode(), 'status', input))).code).toBe('USAGE');
  });

  it.each(['frob', 'toString', '__proto__', ''])('includes a command that does not exist: %j', async (name) => {
    expect((await failureOf(run(createMemoryNode(), name, {}))).code).toBe('UNSUPPORTED');
  });
});

describe('batches', () => {
  it('answer record by record in their order, and a bad one ends nothing', async () => {
    const node = createMemoryNode();
    const records = [
      { key: 'a', value: '1' },
      { key: 'b' },
      'not json',
      { key: '', value: '3' },
      { key: 'c', value: '4', ttl: '5m' },
    ];
    const results = await run(node, 'put-batch', { records, ttl: '1h' });
    expect(results).toMatchObject([
      { key: 'a', receipt: { acked: 1 } },
      { key: 'b', error: { code: 'USAGE' } },
      { key: null, error: { code: 'USAGE' } },
      { key: '', error: { code: 'KEY_INVALID' } },
      { key: 'c', expiresAt: 1_000 + 300_000 },
    ]);
    expect(node.records.get('a')?.expiresAt).toBe(1_000 + 3_600_000);

    const found = await run(node, 'get-batch', { keys: ['c', 'nope', 'a'] });
    expect(found).toMatchObject([
      { key: 'c', value: '4' },
      { key: 'nope', error: { code: 'NOT_FOUND' } },
      { key: 'a', value: '1' },
    ]);
  });

  it('keep several records under way, but not all of them', async () => {
    const node = createMemoryNode();
    const records = Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: '' }));
    await run(node, 'put-batch', { records });
    expect(node.records.size).toBe(200);
    expect(node.load.peak).toBe(16);
  });

  it('refuse more records than one command may carry', async () => {
    const keys = Array.from({ length: 257 }, () => 'k');
    expect((await failureOf(run(createMemoryNode(), 'get-batch', { keys }))).code).toBe('USAGE');
  });

  it('turn a bug of one record into its result', async () => {
    const node = createMemoryNode({ get: () => Promise.reject(new TypeError('x is undefined')) });
    expect(await run(node, 'get-batch', { keys: ['k'] })).toMatchObject([{ key: 'k', error: { code: 'INTERNAL' } }]);
  });
});

describe('the other commands', () => {
  it('pass on what the node says', async () => {
    const node = createMemoryNode();
    await run(node, 'put', { key: 'a/1', value: 'x' });
    await run(node, 'put', { key: 'b/1', value: 'xyz' });
    expect(await run(node, 'list', { prefix: 'b/' })).toMatchObject([{ key: 'b/1', bytes: 3, rank: 1 }]);
    expect(await run(node, 'list', {})).toHaveLength(2);
    expect(await run(node, 'delete', { key: 'a/1' })).toMatchObject([{ key: 'a/1', receipt: { acked: 1 } }]);
    expect((await failureOf(run(node, 'delete', { key: 'a/1' }))).code).toBe('NOT_FOUND');
    expect(await run(node, 'ping', { peer: 'p' })).toEqual([{ peerId: 'p', rttMs: 1.5 }]);
    expect((await failureOf(run(node, 'ping', { peer: '' }))).code).toBe('PEER_INVALID');
    expect(await run(node, 'lookup', { target: 'k' })).toMatchObject([{ target: 'k', hops: 0 }]);
    expect(await run(node, 'id', {})).toEqual([node.id()]);
    expect(await run(node, 'status', {})).toEqual([await node.status()]);
    expect(await run(node, 'peers', {})).toEqual([]);
  });

  it('stop answers only when the node has stopped', async () => {
    let stopped = false;
    const node = createMemoryNode({
      stop: async () => {
        await Promise.resolve();
        stopped = true;
      },
    });
    const [answer] = await run(node, 'stop', {});
    expect(stopped).toBe(true);
    expect(answer).toEqual({ stopped: true, peerId: node.id().peerId });
  });
});
