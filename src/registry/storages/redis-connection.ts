/**
 * Keeps one session with a Redis server and runs calls on it. Every call ends within its deadline, whatever the server does: calls without a
 * session wait for the next one, for a moment; those on a session that ends fail, and are not repeated, because a write may have happened.
 * A server that answers nothing for that long is given up and connected to anew, with back-off and jitter. Differs from ioredis's own
 * reconnecting, which repeats writes and queues without a bound.
 */
import { randomInt } from 'node:crypto';
import { type Clock, NautilusError, onAbort, sleep, type Timer } from '../../core/index.ts';
import { failed, toCallError, toRedisError } from './redis-errors.ts';
import type { RedisSession } from './redis-greeting.ts';
import { RedisReplyError } from './redis-link.ts';

export interface RedisConnectionOptions {
  /** For messages. */
  readonly address: string;
  /** Of deadlines and pauses. */
  readonly clock: Clock;
  /** Of each call, and of each attempt to connect. */
  readonly timeoutMs: number;
  /** Must end, and leave nothing behind, when the signal aborts. */
  readonly connect: (signal: AbortSignal) => Promise<RedisSession>;
  /** Of each session, the first included. */
  readonly onSession: (session: RedisSession) => void;
}

interface Call {
  readonly start: (session: RedisSession) => Promise<void>;
  readonly fail: (error: NautilusError) => void;
  /** Monotonic ms. */
  readonly deadline: number;
  /** Where it was sent; undefined while it waits. */
  session: RedisSession | undefined;
}

// BOUNDED: operations and bytes without an answer, waiting or sent; a single larger batch is taken when there is nothing else.
const MAX_OPERATIONS = 65_536;
const MAX_BYTES = 64 * 1024 * 1024;
/** How long calls wait for a session before they fail at once: a restart goes unnoticed, an outage does not cost a deadline per call. */
const OUTAGE_MS = 1_000;
const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 2_000;
/** After these the session is of no use: a failover, somebody else's claim, a restart behind a proxy. */
const ENDING_REPLIES = new Set(['FENCED', 'READONLY', 'LOADING', 'NOAUTH']);

export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  /** In order of their deadlines, which is the order of arrival. BOUNDED: by reservations. */
  readonly #calls = new Set<Call>();
  readonly #closing = new AbortController();
  #session: RedisSession | undefined;
  #reserved = { operations: 0, bytes: 0 };
  #outage: { readonly since: number; problem: NautilusError | undefined } | undefined;
  #watch: Timer | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  /** Once, before anything else. @throws NautilusError */
  async open(signal?: AbortSignal): Promise<void> {
    this.#use(await this.#connect(signal));
  }

  /** Undefined between two sessions. */
  get session(): RedisSession | undefined {
    return this.#session;
  }

  /** Room for a call; what it returns gives the room back. @throws NautilusError `RESOURCE_EXHAUSTED`, `STORAGE_FAILED` after `close` */
  reserve(operations: number, bytes: number): () => void {
    const { address } = this.#options;
    if (this.#closing.signal.aborted) throw failed(`the storage in ${address} is closed: open it again`);
    const held = this.#reserved;
    if (held.operations > 0 && (held.operations + operations > MAX_OPERATIONS || held.bytes + bytes > MAX_BYTES)) {
      const message = `${held.operations} operations already wait for ${address}: try again later`;
      throw new NautilusError('RESOURCE_EXHAUSTED', message);
    }
    this.#reserved = { operations: held.operations + operations, bytes: held.bytes + bytes };
    return () => {
      this.#reserved.operations -= operations;
      this.#reserved.bytes -= bytes;
      if (this.#reserved.operations === 0) this.#whenIdle?.();
    };
  }

  /** `start` sends on the session it gets, once. @throws NautilusError within the deadline */
  run<T>(start: (session: RedisSession) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = this.#options.clock.monotonic() + this.#options.timeoutMs;
      const call: Call = {
        start: async (session) => resolve(await start(session)),
        fail: reject,
        deadline,
        session: undefined,
      };
      if (this.#session !== undefined) {
        this.#calls.add(call);
        this.#send(call, this.#session);
      } else if (this.#isOut()) {
        reject(this.#outage?.problem);
        return;
      } else {
        this.#calls.add(call);
      }
      this.#watchOver();
    });
  }

  /** Idempotent. Calls that were reserved are finished first, each within its deadline; `leave` runs on the session that is left, if any. */
  async close(leave: (session: RedisSession) => Promise<void>): Promise<void> {
    this.#closing.abort(failed(`the storage in ${this.#options.address} is closed`));
    if (this.#reserved.operations > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    if (this.#session !== undefined) {
      await this.run(leave).catch(() => {
        // Without it the next one to open asks whether we are still here.
      });
    }
    const session = this.#session;
    this.#session = undefined;
    this.#watch?.cancel();
    session?.link.destroy();
  }

  #use(session: RedisSession): void {
    this.#session = session;
    this.#outage = undefined;
    session.link.onEnd((reason) => this.#end(session, reason));
    this.#options.onSession(session);
    for (const call of [...this.#calls]) {
      if (call.session === undefined) this.#send(call, session);
    }
  }

  #send(call: Call, session: RedisSession): void {
    call.session = session;
    call.start(session).then(
      () => this.#calls.delete(call),
      (error: unknown) => {
        const problem = toCallError(this.#options.address, error);
        this.#calls.delete(call);
        call.fail(problem);
        if (error instanceof RedisReplyError && ENDING_REPLIES.has(error.code)) this.#end(session, problem);
      },
    );
  }

  /** The session is over, for whatever reason; what it has not answered fails. */
  #end(session: RedisSession, reason: unknown): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    const problem = toCallError(this.#options.address, reason);
    this.#outage = { since: this.#options.clock.monotonic(), problem };
    session.link.destroy();
    this.#failCalls((call) => call.session === session, problem);
    void this.#reconnect();
  }

  /** Never rejects. */
  async #reconnect(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    for (let backOffMs = FIRST_BACK_OFF_MS; ; backOffMs = Math.min(2 * backOffMs, LONGEST_BACK_OFF_MS)) {
      try {
        // From half of it on, so that many nodes do not come back in step.
        await sleep(clock, randomInt(backOffMs / 2, backOffMs), signal);
        const session = await this.#connect(signal);
        if (signal.aborted) session.link.destroy();
        else this.#use(session);
        return;
      } catch (error) {
        const problem = toCallError(this.#options.address, error);
        if (this.#outage !== undefined) this.#outage.problem = problem;
        if (this.#isOut() || signal.aborted) this.#failCalls((call) => call.session === undefined, problem);
        if (signal.aborted) return;
      }
    }
  }

  /** One attempt, within the deadline. */
  async #connect(signal?: AbortSignal): Promise<RedisSession> {
    const { address, clock, timeoutMs, connect } = this.#options;
    signal?.throwIfAborted();
    const attempt = new AbortController();
    const unwatch = signal && onAbort(signal, () => attempt.abort(signal.reason));
    const timer = clock.setTimer(timeoutMs, () => attempt.abort(silent(address, timeoutMs, 'connecting')));
    try {
      return await connect(attempt.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw toRedisError(address, error);
    } finally {
      timer.cancel();
      unwatch?.();
    }
  }

  #isOut(): boolean {
    if (this.#outage?.problem === undefined) return false;
    return this.#options.clock.monotonic() - this.#outage.since >= OUTAGE_MS;
  }

  #failCalls(which: (call: Call) => boolean, problem: NautilusError): void {
    for (const call of [...this.#calls]) {
      if (!which(call)) continue;
      this.#calls.delete(call);
      call.fail(problem);
    }
  }

  /** One timer for all calls: the first in the set is always the next that is due. It outlives its call, which is cheaper than one each. */
  #watchOver(): void {
    const [next] = this.#calls;
    if (this.#watch !== undefined || next === undefined) return;
    const { address, clock, timeoutMs } = this.#options;
    this.#watch = clock.setTimer(next.deadline - clock.monotonic(), () => {
      this.#watch = undefined;
      const now = clock.monotonic();
      const silentSession = [...this.#calls].find(
        (call) => call.deadline <= now && call.session !== undefined,
      )?.session;
      this.#failCalls((call) => call.deadline <= now, silent(address, timeoutMs));
      if (silentSession !== undefined) this.#end(silentSession, silent(address, timeoutMs));
      this.#watchOver();
    });
  }
}

function silent(address: string, timeoutMs: number, doing: 'connecting' | 'calling' = 'calling'): NautilusError {
  // A plain server waits for the rest of what it takes for a command, and so does TLS for its answer.
  const hint = address.startsWith('rediss:') ? 'or overloaded, or without TLS (redis://)' : 'or overloaded';
  const doubt = doing === 'calling' ? ' (a write may have happened)' : '';
  return failed(`${address} did not answer within ${timeoutMs / 1_000} s: see whether it is stopped ${hint}${doubt}`);
}
