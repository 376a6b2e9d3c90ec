/** Real nodes against a peer that speaks the protocol perfectly and lies with it. What breaks the protocol itself is network-hostile.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NautilusError } from '../../src/core/index.ts';
import { type Contact, createContact, type Request, type Response } from '../../src/kademlia/index.ts';
import { createLibp2pTransport, type Libp2pTransport } from '../../src/network/index.ts';
import { createNode, type NautilusNode, resolveConfig } from '../../src/node/index.ts';
import { createSigner, systemClock } from '../../src/platform/index.ts';
import {
  DEFAULT_NETWORK_CONSTANTS,
  type HeldRecord,
  hashValue,
  parseKey,
  parsePeerIdText,
  type RecordDraft,
  type SignedRecord,
  signRecord,
  toPeerIdText,
  utf8Encode,
} from '../../src/records/index.ts';
import { shortAnswer } from '../support/short-answer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const NETWORK = 'hostile';
const LIAR_SEED = new Uint8Array(32).fill(99);
const liarSigner = createSigner(LIAR_SEED);
const HOUR_MS = 3_600_000;

const directory = temporaryDirectory();
let alice: NautilusNode;
let bob: NautilusNode;
let liar: Libp2pTransport;
/** What the liar answers; tests replace it. */
let answer: (request: Request) => Response = honest;

function honest(request: Request): Response {
  return shortAnswer(request, Date.now());
}

async function startNode(bootstrap: readonly string[]): Promise<NautilusNode> {
  const flags = {
    dataDir: await directory(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    storage: ['memory:'],
    network: NETWORK,
    bootstrap,
  };
  return createNode(await resolveConfig({ flags, env: {} }));
}

beforeAll(async () => {
  alice = await startNode([]);
  bob = await startNode(alice.ready.addresses);
  await bob.connected();
  liar = await createLibp2pTransport({
    privateKey: LIAR_SEED,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    constants: { ...DEFAULT_NETWORK_CONSTANTS, network: NETWORK },
    mode: 'server',
    clock: systemClock,
    observer: { notify: () => undefined },
  });
  await liar.start({
    onPeerConnected: () => undefined,
    onPeerChanged: () => undefined,
    onPeerDisconnected: () => undefined,
    onRequest: async (_from, request) => answer(request),
  });
  for (const node of [alice, bob]) await liar.connect(node.ready.addresses[0]!, { timeoutMs: 10_000 });
  // Who has just met the others may not say "absent" yet.
  for (const node of [alice, bob]) {
    await until('a holder is settled', async () => ((await node.status()).settled ? true : undefined));
  }
});

afterAll(async () => {
  await liar.stop();
  await bob.stop();
  await alice.stop();
});

function contactOf(node: NautilusNode): Contact {
  const address = node.ready.addresses[0]!.replace(/\/p2p\/.*/, '');
  return createContact(parsePeerIdText(node.id().peerId), [address]);
}

async function store(record: HeldRecord): Promise<string> {
  const response = await liar.request(contactOf(alice), { type: 'STORE', record }, { timeoutMs: 10_000 });
  if (response.type !== 'STORE') return response.type;
  return response.outcome.kind === 'stored' ? 'stored' : response.outcome.reason;
}

function draft(fields: Partial<RecordDraft> = {}): RecordDraft {
  const now = Date.now();
  const defaults = { key: parseKey('svc/liar'), value: utf8Encode('lie'), seq: now * 1000, expiresAt: now + HOUR_MS };
  return { ...defaults, deleted: false, ...fields };
}

const sign = (fields: Partial<RecordDraft> = {}, network = NETWORK) => signRecord(liarSigner, network, draft(fields));

describe('a holder refuses', () => {
  test('a forged signature, and a good one of another network', async () => {
    const { header, value } = await sign();
    const forged = { header: { ...header, signature: header.signature.map((byte) => byte ^ 1) }, value };
    expect(await store(forged)).toBe('BAD_SIGNATURE');
    expect(await store(await sign({}, 'main'))).toBe('BAD_SIGNATURE');
  });

  test('another value than was signed, and any field changed after signing', async () => {
    const { header, value } = await sign();
    expect(await store({ header, value: utf8Encode('other') })).toBe('VALUE_MISMATCH');
    expect(await store({ header: { ...header, seq: header.seq + 1 }, value })).toBe('BAD_SIGNATURE');
    expect(await store({ header: { ...header, expiresAt: header.expiresAt + 1 }, value })).toBe('BAD_SIGNATURE');
    expect(await store({ header: { ...header, key: parseKey('svc/other') }, value })).toBe('BAD_SIGNATURE');
  });

  test('what is expired, from the future, or meant to live too long', async () => {
    const now = Date.now();
    expect(await store(await sign({ expiresAt: now - 1 }))).toBe('EXPIRED');
    expect(await store(await sign({ seq: (now + 120_000) * 1000 }))).toBe('FROM_THE_FUTURE');
    expect(await store(await sign({ expiresAt: now + 366 * 24 * HOUR_MS }))).toBe('TTL_TOO_LONG');
  });

  test("a record under somebody else's owned key", async () => {
    const key = parseKey(`@${alice.id().peerId}/config`);
    const { header, value } = await sign();
    expect(await store({ header: { ...header, key }, value })).toBe('NOT_OWNER');
  });

  test('an old, unexpired version after a newer one, and after a delete', async () => {
    const seq = Date.now() * 1000;
    const key = parseKey('svc/replayed');
    const old = await sign({ key, seq });
    expect(await store(old)).toBe('stored');
    expect(await store(await sign({ key, seq: seq + 1, value: utf8Encode('newer') }))).toBe('stored');
    expect(await store(old)).toBe('STALE');
    expect(await store(await sign({ key, seq: seq + 2, value: new Uint8Array(0), deleted: true }))).toBe('stored');
    expect(await store(old)).toBe('STALE');
    await expect(alice.get('svc/replayed')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a header without the value it has not got', async () => {
    const { header } = await sign({ key: parseKey('svc/header-only') });
    expect(await store({ header, value: undefined })).toBe('VALUE_NEEDED');
  });
});

describe('a lying holder among the K closest', () => {
  test('cannot make up a record, and cannot hide one behind a forged newer version', async () => {
    await alice.put('svc/true', utf8Encode('truth'));
    const genuine = await signRecord(createSigner(LIAR_SEED), NETWORK, draft({ key: parseKey('svc/true') }));
    const forged: SignedRecord = {
      header: {
        ...genuine.header,
        publisher: parsePeerIdText(alice.id().peerId),
        seq: genuine.header.seq + 30_000_000,
        valueHash: hashValue(utf8Encode('forged')),
      },
      value: utf8Encode('forged'),
    };
    answer = (request) =>
      request.type === 'FIND_VALUE'
        ? {
            type: 'FIND_VALUE',
            closer: [],
            headers: [forged.header],
            value: { valueIndex: 0, bytes: forged.value },
            settled: true,
            holder: true,
          }
        : honest(request);
    for (const node of [alice, bob]) {
      const { records } = await node.get('svc/true');
      expect(records.map((record) => Buffer.from(record.value).toString())).toEqual(['truth']);
    }
    answer = honest;
  });

  test('costs a get one more request when it keeps the value to itself', async () => {
    const value = utf8Encode('shared');
    await bob.put('svc/shared', value);
    const { header } = await publishedHeader('svc/shared');
    answer = (request) =>
      request.type === 'FIND_VALUE'
        ? { type: 'FIND_VALUE', closer: [], headers: [header], value: undefined, settled: true, holder: true }
        : honest(request);
    const { records } = await alice.get('svc/shared');
    expect(records[0]?.publisher).toBe(bob.id().peerId);
    answer = honest;
  });

  test('cannot push a seq so far that the next put is refused', async () => {
    answer = (request) => {
      const response = honest(request);
      return response.type === 'STORE' ? { ...response, newestSeq: Number.MAX_SAFE_INTEGER } : response;
    };
    const { receipt, seq } = await alice.put('svc/pushed', utf8Encode('here'));
    expect(receipt.acked).toBe(receipt.k);
    expect(seq).toBeLessThan((Date.now() + 1_000) * 1000);
    answer = honest;
  });

  test('that names ten thousand contacts, or the asker itself, is heard no further', async () => {
    const everybody = Array.from({ length: 10_000 }, (_, i) => {
      const publicKey = new Uint8Array(32).fill(1);
      new DataView(publicKey.buffer).setUint32(0, i);
      return createContact(publicKey, ['/ip4/127.0.0.1/tcp/1']);
    });
    for (const closer of [everybody, [contactOf(bob)]]) {
      answer = (request) => (request.type === 'FIND_NODE' ? { type: 'FIND_NODE', closer } : honest(request));
      const { closest } = await bob.lookup('svc/anything');
      const peerIds = closest.map((contact) => contact.peerId);
      expect(peerIds).toContain(alice.id().peerId);
      expect(new Set(peerIds).size).toBe(peerIds.length);
      expect(peerIds.length).toBeLessThanOrEqual(3);
    }
    answer = honest;
  });
});

describe('a flood', () => {
  test('of 10,000 STOREs is bounded, and everybody else is served meanwhile', { timeout: 60_000 }, async () => {
    const record = await sign({ key: parseKey('svc/flood') });
    const outcomes = new Map<string, number>();
    const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    let answered = 0;
    const flood = Array.from({ length: 50 }, async () => {
      for (let i = 0; i < 200; i++) {
        count(await store(record).catch((error: NautilusError) => error.code));
        answered += 1;
      }
    });
    while (answered < 5_000) {
      expect((await bob.put('svc/meanwhile', utf8Encode('x'))).receipt.acked).toBeGreaterThanOrEqual(2);
      await expect(bob.get('svc/meanwhile')).resolves.toMatchObject({ partial: false });
    }
    await Promise.all(flood);
    expect([...outcomes.values()].reduce((sum, each) => sum + each)).toBe(10_000);
    expect([...outcomes.keys()].filter((outcome) => !BOUNDED_OUTCOMES.has(outcome))).toEqual([]);
    await expect(alice.get('svc/meanwhile')).resolves.toMatchObject({ partial: false });
  });
});

/** Served, refused by quota or by a full queue; never a crash, a cut or a time-out. */
const BOUNDED_OUTCOMES = new Set(['stored', 'QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED']);

async function publishedHeader(key: string): Promise<{ readonly header: SignedRecord['header'] }> {
  const request: Request = { type: 'FIND_VALUE', keyId: parseKey(key).id, value: 'none' };
  const response = await liar.request(contactOf(bob), request, { timeoutMs: 10_000 });
  if (response.type !== 'FIND_VALUE' || response.headers[0] === undefined) throw new Error(`no header of ${key}`);
  expect(toPeerIdText(response.headers[0].publisher)).toBe(bob.id().peerId);
  return { header: response.headers[0] };
}
