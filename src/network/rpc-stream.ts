/**
 * Requests and answers over one libp2p stream, many in flight in both directions. It reads with back-pressure (a peer that asks more than its share
 * is not read for a while), writes once per turn, and gives its unanswered calls back when the peer ends it. Not here: which of a peer's streams
 * is used, dialling, what HELLO must say (libp2p-transport.ts).
 */
import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { assert, type Clock, isNautilusError, NautilusError } from '../core/index.ts';
import {
  type DecodedFrame,
  decodeFrame,
  type ErrorResponse,
  encodeRequest,
  encodeResponse,
  type Hello,
  MAX_FRAME_BYTES,
  MAX_REQUEST_ID,
  type Peer,
  type Request,
  type Response,
  type WireLimits,
} from '../kademlia/index.ts';
import type { Call, CallHolder } from './call.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { FairShare, PeerAccount } from './fair-share.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import type { NetworkLimits } from './network-limits.ts';
import type { RemoteIdentity } from './peer-id.ts';
import type { EndOfTurn, Turn } from './turn.ts';

export interface RpcStreamServices {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly turn: Turn;
  readonly share: FairShare;
  readonly limits: NetworkLimits;
  readonly wireLimits: WireLimits;
}

export interface RpcStreamOwner {
  /** The first frame, or again with other addresses. Before it nothing else is accepted. */
  onHello(stream: RpcStream, hello: Hello): void;
  onRequest(from: Peer, request: Request): Promise<Response>;
  /** The peer broke the protocol; the stream is closed next. */
  onMisbehaved(stream: RpcStream, reason: string): void;
  /** Several requests in a row were not answered, and no byte came: the connection is as good as lost. */
  onSilent(stream: RpcStream): void;
  /**
   * No call can be sent any more. `calls` are those without an answer; with `unserved` the peer certainly did not serve them.
   * Called once, except that a stream can end before anybody heard of it.
   */
  onEnded(
    stream: RpcStream,
    calls: readonly Call[],
    reason: { readonly unserved: boolean; readonly error: NautilusError },
  ): void;
  onClosed(stream: RpcStream): void;
}

/** A peer is suspected after so many unanswered calls in a row … */
const SUSPICIOUS_TIMEOUTS = 3;
/** … and after that long: a burst of calls with short timeouts is one observation, not many. */
const SUSPICIOUS_SILENCE_MS = 2_000;
/** In how many turns a peer may use up its share: a flood delays the requests of others by what it starts in one (16: 1.9 times, 32: 2.9, measured). */
const TURNS_PER_SHARE = 4;
/** Answers waiting for a peer that reads slowly, before we stop reading its requests. */
const ENOUGH_ANSWERS_BYTES = 512 * 1024;

export class RpcStream implements CallHolder, EndOfTurn, Deadline {
  readonly connection: Connection;
  readonly remote: RemoteIdentity;
  /** Opened by this node. */
  readonly isOurs: boolean;
  /** Set by the owner: who is there, once its HELLO was found right. */
  peer: Peer | undefined;
  /** It broke the protocol. */
  hasMisbehaved = false;
  dueTick = 0;
  readonly #stream: Stream;
  readonly #services: RpcStreamServices;
  readonly #owner: RpcStreamOwner;
  readonly #reader = new FrameReader(MAX_FRAME_BYTES);
  readonly #writer: FrameWriter;
  // BOUNDED: limits.maxInFlight.
  readonly #calls = new Map<number, Call>();
  #account: PeerAccount | undefined;
  #lastId = 0;
  #serving = 0;
  #servedThisTurn = 0;
  #unanswered = 0;
  #silentSince = 0;
  #isScheduled = false;
  /** Not reading: the peer has its share. */
  #isHeld = false;
  #isResuming = false;
  #isRetiring = false;
  #hasRemoteEnded = false;
  /** No more calls; `closed`: the stream is gone. */
  #state: 'open' | 'ended' | 'closed' = 'open';
  #hasClosedWrite = false;

  constructor(
    stream: Stream,
    connection: Connection,
    remote: RemoteIdentity,
    services: RpcStreamServices,
    owner: RpcStreamOwner,
  ) {
    this.#stream = stream;
    this.connection = connection;
    this.remote = remote;
    this.isOurs = stream.direction === 'outbound';
    this.#services = services;
    this.#owner = owner;
    this.#writer = new FrameWriter(stream);
    services.deadlines.add(this, services.limits.patienceMs);
    stream.addEventListener('message', this.#onMessage);
    stream.addEventListener('drain', () => this.#schedule());
    stream.addEventListener('remoteCloseWrite', this.#onRemoteEnd);
    stream.addEventListener('close', this.#onClose);
  }

  get isIdle(): boolean {
    return this.#calls.size === 0 && this.#serving === 0 && this.#writer.queuedBytes === 0;
  }

  /** After HELLO was found right: from now on requests are served, on this account. */
  accept(peer: Peer, account: PeerAccount): void {
    this.peer = peer;
    this.#account = account;
    this.#services.deadlines.remove(this);
  }

  write(frame: Uint8Array): void {
    this.#writer.write(frame);
    this.#schedule();
  }

  send(call: Call): void {
    const { limits } = this.#services;
    if (this.#calls.size >= limits.maxInFlight || this.#writer.queuedBytes >= limits.maxQueuedBytes) {
      call.reject(
        new NautilusError('RESOURCE_EXHAUSTED', 'too many requests wait for this peer: try again in a moment'),
      );
      return;
    }
    this.#lastId = this.#lastId === MAX_REQUEST_ID ? 1 : this.#lastId + 1;
    const frame = encodeRequest(this.#lastId, call.request);
    assert(frame.length <= MAX_FRAME_BYTES, 'a request fits a frame: its parts are bounded');
    call.holder = this;
    call.requestId = this.#lastId;
    this.#calls.set(this.#lastId, call);
    this.write(frame);
  }

  forget(call: Call, why: 'timeout' | 'aborted'): void {
    this.#calls.delete(call.requestId);
    if (why === 'timeout' && !this.#isHeld) this.#noteSilence(call.timeoutMs);
    this.#closeIfDone();
  }

  /** No new calls come: ends as soon as nothing is under way. */
  retire(): void {
    this.#isRetiring = true;
    this.#closeIfDone();
  }

  /** As retire, and own calls are not waited for. */
  stop(error: NautilusError): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
    this.retire();
  }

  abort(reason: string): void {
    if (this.#state !== 'closed') this.#stream.abort(new Error(reason));
  }

  /** Patience is over: for HELLO, for the rest of a frame, or for the peer to close its side too. */
  expire(): void {
    if (this.#hasClosedWrite) this.abort('the peer does not close its side');
    else if (this.#isHeld) this.#services.deadlines.add(this, this.#services.limits.patienceMs);
    else this.#misbehaved(this.peer === undefined ? 'no hello' : 'half a frame');
  }

  onEndOfTurn(): void {
    this.#isScheduled = false;
    this.#servedThisTurn = 0;
    if (this.#state === 'closed') return;
    this.#writer.flush();
    if (this.#isHeld && this.#mayReadAgain()) this.#release();
    this.#closeIfDone();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#services.turn.atEnd(this);
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    this.#unanswered = 0;
    const { data } = event;
    if (data instanceof Uint8Array) this.#reader.push(data);
    else for (const chunk of data) this.#reader.push(chunk);
    if (!this.#isHeld) this.#read();
  };

  #read(): void {
    while (!this.#isHeld && this.#state !== 'closed') {
      const frame = this.#reader.next();
      if (frame === undefined) {
        this.#onReadAll();
        return;
      }
      if (frame === 'oversize') this.#misbehaved('frame too large');
      else this.#onFrame(frame);
    }
  }

  #onReadAll(): void {
    const { deadlines, limits } = this.#services;
    if (this.#hasRemoteEnded) this.#end();
    else if (this.peer !== undefined && !this.#hasClosedWrite) {
      if (!this.#reader.isInsideFrame) deadlines.remove(this);
      else if (this.dueTick === 0) deadlines.add(this, limits.patienceMs);
    }
  }

  #onFrame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes, this.#services.wireLimits);
    if (frame.kind === 'invalid') this.#misbehaved(frame.reason);
    else if (frame.kind === 'hello') this.#owner.onHello(this, frame.hello);
    else if (this.peer === undefined) this.#misbehaved('no hello');
    else if (frame.kind === 'response') this.#onResponse(frame.requestId, frame.response);
    else if (!this.#hasClosedWrite) this.#onRequest(frame);
    // else: a request that crossed our end of the stream; the peer asks again on another.
  }

  #onRequest(frame: Exclude<DecodedRequest, { readonly kind: 'invalid' }>): void {
    if (frame.kind === 'request') this.#serve(frame.requestId, frame.request);
    else if (frame.kind === 'unsupported') this.#answer(frame.requestId, { type: 'ERROR', code: 'UNSUPPORTED' });
    else {
      const outcome = { kind: 'refused', reason: frame.reason } as const;
      this.#answer(frame.requestId, { type: 'STORE', outcome, newestSeq: 0, time: this.#services.clock.now() });
    }
    this.#holdIfEnough();
  }

  #onResponse(requestId: number, response: Response): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return; // late: nobody waits any more
    this.#calls.delete(requestId);
    if (response.type === call.request.type) call.resolve(response);
    else if (response.type === 'ERROR') call.reject(new NautilusError(response.code, ERROR_MESSAGES[response.code]));
    else {
      call.reject(new NautilusError('MALFORMED', 'the peer sent the answer of another request'));
      this.#misbehaved('answer of another type');
      return;
    }
    if (this.#isRetiring) this.#closeIfDone();
  }

  #serve(requestId: number, request: Request): void {
    this.#serving++;
    this.#account!.serving++;
    this.#owner.onRequest(this.peer!, request).then(
      (response) => this.#served(requestId, response),
      (error: unknown) => this.#served(requestId, { type: 'ERROR', code: errorCode(error) }),
    );
  }

  #served(requestId: number, response: Response): void {
    this.#serving--;
    this.#account!.serving--;
    if (this.#state === 'closed') return;
    this.#answer(requestId, response);
  }

  #answer(requestId: number, response: Response): void {
    let frame = encodeResponse(requestId, response);
    if (frame.length > MAX_FRAME_BYTES) frame = encodeResponse(requestId, { type: 'ERROR', code: 'INTERNAL' });
    if (!this.#account!.answers.trySpend(frame.length)) {
      frame = encodeResponse(requestId, { type: 'ERROR', code: 'RESOURCE_EXHAUSTED' });
    }
    if (this.#writer.queuedBytes + frame.length > this.#services.limits.maxQueuedBytes) {
      this.#misbehaved('answers not read');
      return;
    }
    this.write(frame);
  }

  #holdIfEnough(): void {
    const account = this.#account!;
    const limit = this.#services.share.limit(account);
    const isEnough =
      ++this.#servedThisTurn >= limit / TURNS_PER_SHARE ||
      account.serving >= limit ||
      this.#writer.queuedBytes >= ENOUGH_ANSWERS_BYTES;
    if (!isEnough || this.#state === 'closed') return;
    this.#isHeld = true;
    this.#pause();
    this.#schedule();
  }

  #mayReadAgain(): boolean {
    return (
      this.#account!.serving < this.#services.share.limit(this.#account!) &&
      this.#writer.queuedBytes < ENOUGH_ANSWERS_BYTES
    );
  }

  #release(): void {
    this.#isHeld = false;
    this.#read();
    if (this.#isHeld || this.#stream.readStatus !== 'paused') return;
    // resume() hands over what waited, which may be enough again, before it opens the window: a pause in between would be undone.
    this.#isResuming = true;
    this.#stream.resume();
    this.#isResuming = false;
    if (this.#isHeld) this.#pause();
  }

  #pause(): void {
    if (!this.#isResuming && this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  #noteSilence(waitedMs: number): void {
    const now = this.#services.clock.monotonic();
    if (this.#unanswered++ === 0) this.#silentSince = now - waitedMs;
    if (this.#unanswered >= SUSPICIOUS_TIMEOUTS && now - this.#silentSince >= SUSPICIOUS_SILENCE_MS) {
      this.#owner.onSilent(this);
    }
  }

  #misbehaved(reason: string): void {
    if (this.#state === 'closed') return;
    this.hasMisbehaved = true;
    this.#owner.onMisbehaved(this, reason);
    this.#end(new NautilusError('MALFORMED', `the peer broke the protocol (${reason}): update it, or leave it`));
    this.abort(reason);
  }

  readonly #onRemoteEnd = (): void => {
    this.#hasRemoteEnded = true;
    if (!this.#isHeld) this.#end();
  };

  /** The peer sends nothing any more: what it did not answer so far it will not. */
  #end(error?: NautilusError): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#isRetiring = true;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    const lost = error ?? new NautilusError('PEER_UNREACHABLE', 'the peer closed the connection');
    this.#owner.onEnded(this, calls, { unserved: error === undefined, error: lost });
    if (error === undefined) this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#isRetiring || this.#hasClosedWrite || this.#state === 'closed' || !this.isIdle) return;
    this.#hasClosedWrite = true;
    this.#services.deadlines.add(this, this.#services.limits.patienceMs);
    this.#stream.close().catch((error: unknown) => {
      this.abort(`cannot close: ${error}`); // it was closed under our feet, or never drained
    });
  }

  readonly #onClose = (event: StreamCloseEvent): void => {
    if (this.#state === 'closed') return;
    const cause = event.error;
    if (this.#hasRemoteEnded && cause === undefined) this.#end();
    else this.#end(new NautilusError('PEER_UNREACHABLE', 'the connection to the peer was lost', { cause }));
    this.#state = 'closed';
    this.#services.deadlines.remove(this);
    this.#owner.onClosed(this);
  };
}

type DecodedRequest = Exclude<DecodedFrame, { readonly kind: 'hello' | 'response' }>;

const ERROR_MESSAGES = {
  UNSUPPORTED: 'the peer does not know this request: it runs an older version',
  RESOURCE_EXHAUSTED: 'the peer is busy: try again later',
  MALFORMED: 'the peer could not read the request',
  INTERNAL: 'the peer failed to answer: see its log',
} as const satisfies Record<ErrorResponse['code'], string>;

function errorCode(error: unknown): ErrorResponse['code'] {
  return isNautilusError(error, 'RESOURCE_EXHAUSTED') ? 'RESOURCE_EXHAUSTED' : 'INTERNAL';
}
