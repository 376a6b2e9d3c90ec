/** Deadlines, reconnecting and bounds, on a clock that the test moves. With real servers: test/contract/redis-failures.test.ts. */
import { expect, test } from 'vitest';
import { RedisConnection } from '../../../src/registry/storages/redis-connection.ts';
import type { RedisSession } from '../../../src/registry/storages/redis-greeting.ts';
import { RedisReplyError } from '../../../src/registry/storages/redis-link.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

/** A server that answers what the test tells it to, when it tells it to. */
class Script {
  /** Answers of the current session, oldest call first. */
  pending: { readonly resolve: (reply: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  sent = 0;
  sessions = 0;
  destroyed = 0;
  /** How the next attempts to connect end. */
  connects: 'at once' | 'never' | 'refused' = 'at once';
  attempts: number[] = [];
  #end: ((reason: Error) => void) | undefined;

  async connect(clock: ManualClock, signal: AbortSignal): Promise<RedisSession> {
    this.attempts.push(clock.monotonic());
    if (this.connects === 'refused') throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    if (this.connects === 'never') {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    this.sessions++;
    this.pending = [];
    const link = {
      call: () => {
        this.sent++;
        return new Promise<unknown>((resolve, reject) => this.pending.push({ resolve, reject }));
      },
      onEnd: (listener: (reason: Error) => void) => {
        this.#end = listener;
      },
      destroy: () => void this.destroyed++,
    };
    return { link, token: `token.${this.sessions}`, hashes: NO_HASHES, isDurable: true, warnings: [] };
  }

  hangUp(): void {
    this.#end?.(new Error('the server closed it'));
  }
}

const NO_HASHES = { write: '', read: '', scan: '', size: '', claim: '' };

async function opened(timeoutMs = 5_000) {
  const clock = new ManualClock();
  const script = new Script();
  const connection = new RedisConnection({
    address: 'redis://test',
    clock,
    timeoutMs,
    connect: (signal) => script.connect(clock, signal),
    onSession: () => undefined,
  });
  await connection.open();
  const call = () => connection.run(({ link }) => link.call('PING', []));
  return { clock, script, connection, call };
}

const failure = (text: string) => ({ code: 'STORAGE_FAILED', message: expect.stringContaining(text) as string });
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: unknown) => error,
  );

test('a call on a lost session fails and is not sent again; one made while there is none waits for the next', async () => {
  const { clock, script, call } = await opened();
  const lost = outcome(call());
  script.hangUp();
  expect(await lost).toMatchObject(failure('the connection to redis://test was lost (the server closed it)'));
  const waiting = call();
  expect(script.sent).toBe(1);
  await clock.advance(50);
  expect([script.sessions, script.sent]).toEqual([2, 2]);
  script.pending[0]?.resolve('PONG');
  expect(await waiting).toBe('PONG');
});

test('a server that says nothing for the deadline of one call is given up, with all that it owes', async () => {
  const { clock, script, call } = await opened();
  const first = outcome(call());
  await clock.advance(3_000);
  const second = outcome(call());
  await clock.advance(1_999);
  expect(script.destroyed).toBe(0);
  await clock.advance(1);
  expect(await first).toMatchObject(failure('did not answer within 5 s'));
  expect(await second).toMatchObject(failure('did not answer within 5 s'));
  expect(script.destroyed).toBe(1);
});

test('answered calls need no deadline: the timer of an idle connection ends nothing', async () => {
  const { clock, script, call } = await opened();
  for (let n = 0; n < 10; n++) {
    const answered = call();
    script.pending.shift()?.resolve(n);
    expect(await answered).toBe(n);
    await clock.advance(4_000);
  }
  await clock.advance(60_000);
  expect([script.sessions, script.destroyed]).toEqual([1, 0]);
  expect(clock.pendingTimers).toBe(0);
});

test('in an outage calls wait a second at most, later ones fail at once, with what the last attempt met', async () => {
  const { clock, script, call } = await opened();
  script.connects = 'refused';
  script.hangUp();
  await settle();
  const early = outcome(call());
  await clock.advance(900);
  expect(await Promise.race([early, settle().then(() => 'waiting')])).toBe('waiting');
  await clock.advance(2_000);
  expect(await early).toMatchObject(failure('cannot be reached (ECONNREFUSED)'));
  expect(await outcome(call())).toMatchObject(failure('cannot be reached (ECONNREFUSED)'));
  script.connects = 'at once';
  await clock.advance(2_000);
  const later = call();
  script.pending[0]?.resolve('PONG');
  expect(await later).toBe('PONG');
});

test('attempts to connect are spread out, up to two seconds, and each ends within the deadline', async () => {
  const { clock, script, call } = await opened(500);
  script.connects = 'refused';
  script.hangUp();
  await clock.advance(60_000);
  const pauses = script.attempts.slice(1).map((at, index) => at - (index === 0 ? 0 : script.attempts[index]!));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
  expect(Math.min(...pauses.slice(8))).toBeGreaterThanOrEqual(1_000);
  expect(pauses.slice(0, 6).reduce((sum, pause) => sum + pause, 0)).toBeLessThanOrEqual(3_150);
  script.connects = 'never';
  await clock.advance(10_000);
  expect(await outcome(call())).toMatchObject(failure('did not answer within 0.5 s'));
});

test.each(['FENCED somebody else', 'READONLY replica', 'LOADING data'])(
  'after %j the session is made anew',
  async (reply) => {
    const { clock, script, call } = await opened();
    const refused = outcome(call());
    script.pending[0]?.reject(new RedisReplyError(reply));
    expect(await refused).toMatchObject({ code: 'STORAGE_FAILED' });
    await clock.advance(50);
    expect([script.sessions, script.destroyed]).toEqual([2, 1]);
  },
);

test('an error about one call leaves the session alone', async () => {
  const { clock, script, call } = await opened();
  const refused = outcome(call());
  script.pending[0]?.reject(new RedisReplyError('MISCONF cannot save'));
  expect(await refused).toMatchObject(failure('cannot save'));
  await clock.advance(50);
  expect([script.sessions, script.destroyed]).toEqual([1, 0]);
});

test('reservations are bounded in operations and bytes, and a single larger one is taken alone', async () => {
  const { connection } = await opened();
  const exhausted = expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' });
  const large = connection.reserve(100_000, 0);
  expect(() => connection.reserve(1, 0)).toThrow(exhausted);
  large();
  const heavy = connection.reserve(1, 64 * 1024 * 1024);
  expect(() => connection.reserve(1, 1)).toThrow(exhausted);
  expect(connection.reserve(1, 0)).toBeTypeOf('function');
  heavy();
  expect(connection.reserve(1, 1)).toBeTypeOf('function');
});

test('closing waits for what was reserved, leaves, and ends the session', async () => {
  const { script, connection, call } = await opened();
  const release = connection.reserve(1, 0);
  const write = call();
  const left: string[] = [];
  const closing = connection.close(async ({ token }) => void left.push(token));
  expect(() => connection.reserve(1, 0)).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }));
  await settle();
  expect([left, script.destroyed]).toEqual([[], 0]);
  script.pending[0]?.resolve('OK');
  expect(await write).toBe('OK');
  release();
  await closing;
  expect([left, script.destroyed]).toEqual([['token.1'], 1]);
});

test('closing in an outage ends the attempts and what waits for them', async () => {
  const { clock, script, connection, call } = await opened();
  script.connects = 'never';
  script.hangUp();
  await clock.advance(100);
  const release = connection.reserve(1, 0);
  const waiting = outcome(call());
  const closing = connection.close(async () => undefined);
  expect(await waiting).toMatchObject(failure('is closed'));
  release();
  await closing;
  const attempts = script.attempts.length;
  await clock.advance(60_000);
  expect(script.attempts.length).toBe(attempts);
  expect(clock.pendingTimers).toBe(0);
});
