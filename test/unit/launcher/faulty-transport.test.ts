/** Bad lines between nodes of a testnet: what gets through, when, and what is counted. The transport below answers at once. */
import { beforeEach, describe, expect, it } from 'vitest';
import { isNautilusError, NautilusError } from '../../../src/core/index.ts';
import {
  type Contact,
  createContact,
  encodeRequest,
  encodeResponse,
  type Peer,
  type Request,
  type Response,
  type Transport,
  type TransportEvents,
} from '../../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, toPeerIdText } from '../../../src/records/index.ts';
import { FaultyTransport } from '../../../testnet/launcher/faulty-transport.ts';
import { FAIR_CONDITIONS, type NodeConditions } from '../../../testnet/launcher/node-conditions.ts';
import { SeededRandom } from '../../../testnet/simulator/index.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const PING: Request = { type: 'PING' };
const PONG: Response = { type: 'PING', time: 1 };
const contacts = [0, 1, 2, 3].map((number) => {
  return createContact(new Uint8Array(32).fill(number + 1), [`/ip4/127.0.0.1/tcp/${4801 + number}`]);
});
const [self, near, far, stranger] = contacts as [Contact, Contact, Contact, Contact];
const PEER_IDS = [self, near, far].map(({ publicKey }) => toPeerIdText(publicKey));

/** Connected to whom it says, and everybody there answers at once. */
class InstantTransport implements Transport {
  readonly self = self;
  readonly mode = 'server';
  readonly connected = new Set(contacts.map(({ id }) => id.hex));
  readonly requests: Contact[] = [];
  readonly dialled: string[] = [];
  answer: () => Promise<Response> = () => Promise.resolve(PONG);
  events: TransportEvents | undefined;
  isStopped = false;

  async start(events: TransportEvents): Promise<void> {
    this.events = events;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }

  request(to: Contact): Promise<Response> {
    this.requests.push(to);
    return this.answer();
  }

  async connect(address: string): Promise<Peer> {
    this.dialled.push(address);
    return { contact: near, mode: 'server', direction: 'outbound' };
  }

  peers(): readonly Peer[] {
    return [];
  }

  peer(id: Contact['id']): Peer | undefined {
    return this.connected.has(id.hex) ? { contact: near, mode: 'server', direction: 'outbound' } : undefined;
  }
}

let clock: ManualClock;
let inner: InstantTransport;
let transport: FaultyTransport;

beforeEach(() => {
  clock = new ManualClock();
  inner = new InstantTransport();
  transport = new FaultyTransport(
    { transport: inner, clock, random: new SeededRandom('faulty') },
    { number: 0, seed: '7', constants: DEFAULT_NETWORK_CONSTANTS },
  );
});

function conditions(change: Partial<NodeConditions>): void {
  transport.setConditions({ ...FAIR_CONDITIONS, peerIds: PEER_IDS, ...change });
}

/** What came of it and when, ms from now; undefined while nothing has. */
function watch(work: Promise<unknown>): { outcome: string | undefined; atMs: number | undefined } {
  const begunAt = clock.monotonic();
  const watched: { outcome: string | undefined; atMs: number | undefined } = { outcome: undefined, atMs: undefined };
  const note = (outcome: string) => {
    watched.outcome = outcome;
    watched.atMs = clock.monotonic() - begunAt;
  };
  work.then(
    () => note('answered'),
    (error: unknown) => note(isNautilusError(error) ? error.code : String(error)),
  );
  return watched;
}

const ask = (to: Contact, timeoutMs = 1_000) => watch(transport.request(to, PING, { timeoutMs }));

describe('a line without faults', () => {
  it('takes no time', async () => {
    conditions({});
    const asked = ask(near);
    await settle();
    expect(asked).toEqual({ outcome: 'answered', atMs: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('latency', () => {
  it('is spent on the way there and on the way back', async () => {
    conditions({ latency: { kind: 'constant', ms: 30 } });
    const asked = ask(near);
    await clock.advance(29);
    expect(inner.requests).toEqual([]);
    await clock.advance(1);
    expect(inner.requests).toEqual([near]);
    await clock.advance(29);
    expect(asked.outcome).toBeUndefined();
    await clock.advance(1);
    expect(asked).toEqual({ outcome: 'answered', atMs: 60 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('of three more round trips comes before the first request on a new connection', async () => {
    conditions({ latency: { kind: 'constant', ms: 30 } });
    inner.connected.clear();
    const asked = ask(near);
    await clock.advance(209);
    expect(inner.requests).toEqual([]);
    await clock.advance(31);
    expect(inner.requests).toEqual([near]);
    expect(asked).toEqual({ outcome: 'answered', atMs: 240 });
  });

  it('beyond the timeout is a timeout, at its time', async () => {
    conditions({ latency: { kind: 'constant', ms: 600 } });
    const asked = ask(near);
    await clock.advance(2_000);
    expect(asked).toEqual({ outcome: 'TIMEOUT', atMs: 1_000 });
  });

  it('ends at once for who gives up', async () => {
    conditions({ latency: { kind: 'constant', ms: 600 } });
    const abort = new AbortController();
    const asked = watch(transport.request(near, PING, { timeoutMs: 1_000, signal: abort.signal }));
    await clock.advance(5);
    abort.abort();
    await settle();
    expect(asked).toEqual({ outcome: 'ABORTED', atMs: 5 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('is the same between the same two nodes at both ends, so that a wide area is one world', async () => {
    const other = new FaultyTransport(
      { transport: inner, clock, random: new SeededRandom('other') },
      { number: 1, seed: '7', constants: DEFAULT_NETWORK_CONSTANTS },
    );
    conditions({ latency: { kind: 'wide-area' } });
    other.setConditions({ ...FAIR_CONDITIONS, peerIds: PEER_IDS, latency: { kind: 'wide-area' } });
    const there = ask(near, 10_000);
    const back = watch(other.request(self, PING, { timeoutMs: 10_000 }));
    await clock.advance(5_000);
    expect(there.outcome).toBe('answered');
    expect(back.outcome).toBe('answered');
    // But for what queues add to each frame, a few ms.
    expect(Math.abs(there.atMs! - back.atMs!)).toBeLessThan(30);
  });
});

describe('loss', () => {
  it('takes its share of requests and of answers, each with silence', async () => {
    conditions({ lossShare: 0.1 });
    const asked = Array.from({ length: 1_000 }, () => ask(near));
    await settle();
    const answered = asked.filter(({ outcome }) => outcome === 'answered').length;
    // 0.9 × 0.9 of 1,000, ± 4 σ; of what was asked, 0.9 arrived.
    expect(Math.abs(answered - 810)).toBeLessThan(50);
    expect(Math.abs(inner.requests.length - 900)).toBeLessThan(38);
    await clock.advance(1_000);
    const silent = asked.filter(({ outcome, atMs }) => outcome === 'TIMEOUT' && atMs === 1_000).length;
    expect(silent).toBe(1_000 - answered);
  });

  it('of everything leaves nobody', async () => {
    conditions({ lossShare: 1 });
    const asked = ask(near);
    await clock.advance(1_000);
    expect([asked.outcome, inner.requests.length]).toEqual(['TIMEOUT', 0]);
  });
});

describe('a partition', () => {
  it('leaves nodes of one group to each other, and strangers alone', async () => {
    conditions({ groups: [[0, 1], [2]] });
    const [inside, outside, unknown] = [ask(near), ask(far), ask(stranger)];
    await clock.advance(1_000);
    expect([inside.outcome, outside.outcome, unknown.outcome]).toEqual(['answered', 'TIMEOUT', 'answered']);
    expect(inner.requests).not.toContain(far);
  });

  it('one way lets requests through and no answers, or neither', async () => {
    conditions({ oneWay: [{ from: [1], to: [0] }] });
    const deaf = ask(near);
    await clock.advance(1_000);
    expect([deaf.outcome, inner.requests.length]).toEqual(['TIMEOUT', 1]);

    conditions({ oneWay: [{ from: [0], to: [1] }] });
    const mute = ask(near);
    await clock.advance(1_000);
    expect([mute.outcome, inner.requests.length]).toEqual(['TIMEOUT', 1]);
  });

  it('one way or both keeps new connections from being made', async () => {
    inner.connected.clear();
    const address = `${near.addresses[0]}/p2p/${PEER_IDS[1]}`;
    for (const oneWay of [[{ from: [0], to: [1] }], [{ from: [1], to: [0] }]]) {
      conditions({ oneWay });
      const [asked, dialled] = [ask(near), watch(transport.connect(address, { timeoutMs: 1_000 }))];
      await clock.advance(1_000);
      expect([asked.outcome, dialled.outcome]).toEqual(['TIMEOUT', 'TIMEOUT']);
    }
    expect([inner.requests, inner.dialled]).toEqual([[], []]);
    conditions({});
    const dialled = watch(transport.connect(address, { timeoutMs: 1_000 }));
    await settle();
    expect([dialled.outcome, inner.dialled]).toEqual(['answered', [address]]);
  });

  it('swallows what is under way when it begins, and even the news that nobody is there', async () => {
    conditions({ latency: { kind: 'constant', ms: 50 } });
    const underWay = ask(near);
    await clock.advance(60);
    conditions({ latency: { kind: 'constant', ms: 50 }, groups: [[0], [1]] });
    await clock.advance(940);
    expect(underWay).toEqual({ outcome: 'TIMEOUT', atMs: 1_000 });

    inner.answer = () => Promise.reject(new NautilusError('PEER_UNREACHABLE', 'the connection was lost'));
    conditions({ oneWay: [{ from: [1], to: [0] }] });
    const refused = ask(near);
    await clock.advance(1_000);
    expect(refused.outcome).toBe('TIMEOUT');
    conditions({});
    const heard = ask(near);
    await settle();
    expect(heard.outcome).toBe('PEER_UNREACHABLE');
  });
});

describe('what is sent', () => {
  it('is counted by purpose, with the bytes of its frames: own requests, answers to others, a hello per connection', async () => {
    conditions({});
    const peer: Peer = { contact: near, mode: 'server', direction: 'inbound' };
    await transport.start({
      onPeerConnected: () => undefined,
      onPeerChanged: () => undefined,
      onPeerDisconnected: () => undefined,
      onRequest: () => Promise.resolve(PONG),
    });
    const key = new Uint8Array(32).fill(9);
    transport.traffic.aim(key, 'FIND_NODE to write');
    const lookup: Request = { type: 'FIND_NODE', target: key };
    inner.events?.onPeerConnected(peer);
    inner.events?.onPeerChanged(peer);
    await transport.request(near, PING, { timeoutMs: 1_000 });
    await transport.request(near, lookup, { timeoutMs: 1_000 });
    await inner.events?.onRequest(peer, PING);

    const sent = new Map(transport.traffic.table().map(({ purpose, ...totals }) => [purpose, totals]));
    expect(sent.get('HELLO')?.frames).toBe(1);
    expect(sent.get('PING')).toEqual({ frames: 1, bytes: encodeRequest(1_000, PING).length });
    expect(sent.get('FIND_NODE to write')).toEqual({ frames: 1, bytes: encodeRequest(1_000, lookup).length });
    expect(sent.get('PING answer')).toEqual({ frames: 1, bytes: encodeResponse(1_000, PONG).length });
    inner.events?.onPeerDisconnected(peer);
    inner.events?.onPeerConnected(peer);
    expect(transport.traffic.sent('HELLO').frames).toBe(2);
  });

  it('is counted when it vanishes, and an answer that fails is an error to its asker', async () => {
    conditions({ lossShare: 1 });
    await transport.start({
      onPeerConnected: () => undefined,
      onPeerChanged: () => undefined,
      onPeerDisconnected: () => undefined,
      onRequest: () => Promise.reject(new NautilusError('RESOURCE_EXHAUSTED', 'busy')),
    });
    ask(near);
    await settle();
    expect(transport.traffic.sent('PING').frames).toBe(1);
    const peer: Peer = { contact: near, mode: 'server', direction: 'inbound' };
    await expect(inner.events?.onRequest(peer, PING)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(transport.traffic.sent('PING answer').frames).toBe(1);
  });
});

it('is stopped with the transport it stands before', async () => {
  await transport.stop();
  expect(inner.isStopped).toBe(true);
});
