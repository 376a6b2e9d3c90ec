/**
 * The network of a simulated world: machines with addresses, connections between them, and everything that goes wrong in between. It knows
 * frames as bytes; what they say is the transport's business. Not here: queueing in routers, which is the latency model's tail.
 */
import { assert } from '../../src/core/index.ts';
import { copyBytes } from '../../src/records/index.ts';
import { QueuedEvent } from './event-queue.ts';
import { constantLatency, type LatencyModel } from './latency.ts';
import type { MachineLimits } from './machine-limits.ts';
import { PairFaults, type Reachability } from './pair-faults.ts';
import type { SeededRandom } from './seeded-random.ts';
import { Trace } from './trace.ts';
import { type FramePurpose, Traffic } from './traffic.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { type CloseCause, type ConnectionHandler, Endpoint, Link } from './virtual-link.ts';

/** May be changed while the world runs: frames already under way keep what they drew. */
export interface NetworkConditions {
  /** @default 1 ms */
  latency: LatencyModel;
  /** Share of frames that vanish. @default 0 */
  lossRate: number;
  /** Share of frames that arrive twice. @default 0 */
  duplicationRate: number;
  /** Round trips before the dialler's HELLO can leave: TCP and the noise handshake. @default 2 */
  handshakeRoundTrips: number;
  /** What each machine can carry, by its node's number. @default undefined: everything, at once */
  limitsOf: ((number: number) => MachineLimits | undefined) | undefined;
}

const DEFAULT_CONDITIONS: NetworkConditions = {
  latency: constantLatency(1),
  lossRate: 0,
  duplicationRate: 0,
  handshakeRoundTrips: 2,
  limitsOf: undefined,
};

/** How long a system repeats what nobody acknowledges before it breaks the connection: Linux with its default tcp_retries2. */
const GIVE_UP_MS = 924_600;

export class VirtualNetwork {
  readonly conditions: NetworkConditions;
  readonly trace = new Trace();
  readonly traffic = new Traffic();
  /** What is wrong between particular nodes. */
  readonly faults = new PairFaults();
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  // BOUNDED: one entry per address ever used in this world.
  readonly #byAddress = new Map<string, Endpoint>();

  constructor(clock: VirtualClock, random: SeededRandom, conditions: Partial<NetworkConditions> = {}) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = { ...DEFAULT_CONDITIONS, ...conditions };
  }

  /** A machine comes up at an address. One that was there before must be down: its connections are not those of the new one. */
  attach(number: number, address: string, handler: ConnectionHandler): Endpoint {
    const former = this.#byAddress.get(address);
    assert(former === undefined || isDead(former), 'an address has one live machine');
    const endpoint = new Endpoint(number, address, handler);
    this.#byAddress.set(address, endpoint);
    return endpoint;
  }

  partition(groups: readonly (readonly number[])[]): void {
    this.faults.partition(groups);
  }

  setReachability(reachable: Reachability): void {
    this.faults.setReachability(reachable);
  }

  heal(): void {
    this.faults.heal();
  }

  /** Begins a connection; `hello` is the dialler's first frame. Refusal comes back as `onLinkClosed`, silence is silence. */
  dial(from: Endpoint, address: string, hello: Uint8Array): Link {
    this.traffic.dials++;
    this.traffic.count('HELLO', hello.length);
    const link = new Link(from);
    from.links.add(link);
    const to = this.#byAddress.get(address);
    if (to?.state === 'gone') {
      this.traffic.dropped.vanished++;
      return link;
    }
    if (to === undefined || to.state === 'down') {
      const roundTrip = to === undefined ? 0 : this.#latency(from, to) + this.#latency(to, from);
      if (to === undefined || this.#reachable(from.number, to.number)) {
        this.#notifyClosed(link, from, roundTrip, 'closed');
      }
      return link;
    }
    const uploadMs = this.#upload(from, hello.length);
    if (uploadMs === undefined || !this.#survives(from, to)) return link;
    let delay = uploadMs + this.#latency(from, to);
    for (let i = 0; i < this.conditions.handshakeRoundTrips; i++) {
      delay += this.#latency(to, from) + this.#latency(from, to);
    }
    const kept = withoutNeighbours(hello);
    this.#clock.setTimer(delay, () => this.#arriveDial(link, to, kept));
    return link;
  }

  /** Sends a frame over an open connection, from one of its ends. */
  send(link: Link, from: Endpoint, frame: Uint8Array, purpose: FramePurpose): void {
    const to = otherEnd(link, from);
    this.traffic.count(purpose, frame.length);
    const uploadMs = this.#upload(from, frame.length);
    if (uploadMs === undefined || !this.#survives(from, to)) return;
    this.#carry(link, from, to, frame, uploadMs);
    if (this.#random.chance(this.conditions.duplicationRate)) {
      this.traffic.duplicated++;
      this.#carry(link, from, to, frame, uploadMs);
    }
  }

  /** Closes one end; the other hears of it when the news gets through. */
  close(link: Link, from: Endpoint): void {
    link.isClosed = true;
    this.#release(link, from);
  }

  /** The process is gone: the system under it breaks its connections and refuses new ones. It never hears of anything again. */
  kill(endpoint: Endpoint): void {
    endpoint.end('down');
    for (const link of endpoint.links) this.#release(link, endpoint);
  }

  /**
   * The whole machine is gone, or its cable: nothing is refused, and what is sent there is never heard of again. Its connections stay open
   * at their other ends until the system there gives up.
   */
  vanish(endpoint: Endpoint): void {
    endpoint.end('gone');
    for (const link of endpoint.links) {
      if (link.acceptor !== undefined) this.#notifyClosed(link, otherEnd(link, endpoint), GIVE_UP_MS, 'lost');
    }
    endpoint.links.clear();
  }

  /** The process is stopped: its machine still takes what arrives, and nobody reads it. */
  pause(endpoint: Endpoint): void {
    if (endpoint.state === 'up') endpoint.state = 'paused';
  }

  resume(endpoint: Endpoint): void {
    if (endpoint.state !== 'paused') return;
    endpoint.state = 'up';
    const backlog = endpoint.backlog.splice(0);
    for (const work of backlog) this.#clock.setTimer(0, () => this.#arrive(endpoint, work));
  }

  #latency(from: Endpoint, to: Endpoint): number {
    return this.conditions.latency(from.number, to.number, this.#random);
  }

  #survives(from: Endpoint, to: Endpoint): boolean {
    if (!this.#reachable(from.number, to.number)) {
      this.traffic.dropped.partitioned++;
      return false;
    }
    const { lossRate } = this.conditions;
    const pairLossRate = this.faults.lossRate(from.number, to.number);
    if (!this.#random.chance(lossRate) && !this.#random.chance(pairLossRate)) return true;
    this.traffic.dropped.lost++;
    return false;
  }

  #reachable(from: number, to: number): boolean {
    return this.faults.reaches(from, to);
  }

  /** @returns ms until the frame has left the machine; undefined when there is no room for it */
  #upload(from: Endpoint, bytes: number): number | undefined {
    const limits = this.conditions.limitsOf?.(from.number);
    if (limits === undefined) return 0;
    const uploadMs = from.queues.upload(this.#clock.monotonic(), bytes, limits);
    if (uploadMs === undefined) this.traffic.dropped.congested++;
    return uploadMs;
  }

  /** Latency is drawn per frame, so frames may overtake each other; nothing overtakes the HELLO that opened its direction. */
  #carry(link: Link, from: Endpoint, to: Endpoint, frame: Uint8Array, uploadMs: number): void {
    const now = this.#clock.monotonic();
    let arrivesAt = now + uploadMs + this.#latency(from, to);
    if (from === link.acceptor) {
      if (link.answeredAt === undefined) link.answeredAt = Math.ceil(arrivesAt);
      else arrivesAt = Math.max(arrivesAt, link.answeredAt);
      link.acceptorArrivesBy = Math.max(link.acceptorArrivesBy, Math.ceil(arrivesAt));
    } else link.diallerArrivesBy = Math.max(link.diallerArrivesBy, Math.ceil(arrivesAt));
    this.#clock.schedule(arrivesAt - now, new FrameUnderWay(this, link, from, to, frame));
  }

  #arriveDial(link: Link, to: Endpoint, hello: Uint8Array): void {
    const from = link.dialler;
    if (!from.links.has(link) || !this.#reachable(from.number, to.number)) return;
    if (to.state === 'gone') {
      this.traffic.dropped.vanished++;
      return;
    }
    link.acceptor = to;
    if (to.state === 'down') {
      this.#notifyClosed(link, from, this.#latency(to, from), 'closed');
      return;
    }
    this.#receive(to, hello.length, () => {
      if (!from.links.has(link)) return; // given up meanwhile
      to.links.add(link);
      this.trace.add(this.#clock.monotonic(), from.number, to.number, hello);
      to.handler?.onFrame(link, hello);
    });
  }

  /** For frames under way alone. */
  onArrival(arrival: FrameUnderWay): void {
    const { link, from, to, frame } = arrival;
    if (!this.#reachable(from.number, to.number)) {
      this.traffic.dropped.partitioned++;
      return;
    }
    if (to.state === 'up' && this.conditions.limitsOf === undefined)
      this.#deliver(arrival); // most of them, and nothing to remember
    else this.#receive(to, frame.length, () => this.#deliver(arrival));
    if (to.state === 'down' || (to.state === 'gone' && this.#byAddress.get(to.address) !== to)) {
      this.#refuse(link, from, to);
    } else if (to.state === 'gone') this.traffic.dropped.vanished++;
  }

  #deliver({ link, from, to, frame }: FrameUnderWay): void {
    if (to.links.has(link)) {
      this.trace.add(this.#clock.monotonic(), from.number, to.number, frame);
      to.handler?.onFrame(link, frame);
    } else this.#refuse(link, from, to);
  }

  #release(link: Link, from: Endpoint): void {
    if (!from.links.delete(link) || link.acceptor === undefined) return;
    const to = otherEnd(link, from);
    if (!this.#reachable(from.number, to.number)) return;
    const arrivesBy = from === link.acceptor ? link.acceptorArrivesBy : link.diallerArrivesBy;
    const delayMs = Math.max(this.#latency(from, to), arrivesBy - this.#clock.monotonic());
    this.#notifyClosed(link, to, delayMs, link.isClosed ? 'closed' : 'lost');
  }

  /** A frame on a connection its receiver does not know (any more), or whose machine has started anew since, is answered with a reset. */
  #refuse(link: Link, from: Endpoint, to: Endpoint): void {
    this.traffic.dropped.refused++;
    if (!this.#reachable(to.number, from.number)) return;
    this.#notifyClosed(link, from, this.#latency(to, from), link.isClosed ? 'closed' : 'lost');
  }

  #notifyClosed(link: Link, to: Endpoint, delayMs: number, cause: CloseCause): void {
    this.#clock.setTimer(delayMs, () =>
      this.#receive(to, 0, () => {
        if (to.links.delete(link)) to.handler?.onLinkClosed(link, cause);
      }),
    );
  }

  /** Something has reached a machine: through its link, then, when the process runs, through its processor. No bytes: an end of a connection. */
  #receive(to: Endpoint, bytes: number, work: () => void): void {
    const limits = this.conditions.limitsOf?.(to.number);
    if (limits === undefined) {
      this.#arrive(to, work);
      return;
    }
    const downloadMs = to.queues.download(this.#clock.monotonic(), bytes, limits);
    if (downloadMs === undefined) this.traffic.dropped.congested++;
    else this.#after(downloadMs, () => this.#arrive(to, () => this.#serve(to, bytes === 0 ? 0 : 1, limits, work)));
  }

  #serve(to: Endpoint, frames: 0 | 1, limits: MachineLimits, work: () => void): void {
    const serviceMs = to.queues.serve(this.#clock.monotonic(), frames, limits);
    if (serviceMs === undefined) this.traffic.dropped.overloaded++;
    else this.#after(serviceMs, () => this.#arrive(to, work));
  }

  #after(delayMs: number, work: () => void): void {
    if (delayMs > 0) this.#clock.setTimer(delayMs, work);
    else work();
  }

  #arrive(to: Endpoint, work: () => void): void {
    if (to.state === 'up') work();
    else if (to.state === 'paused') to.keep(work);
  }
}

class FrameUnderWay extends QueuedEvent {
  readonly #network: VirtualNetwork;
  readonly link: Link;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly frame: Uint8Array;

  constructor(network: VirtualNetwork, link: Link, from: Endpoint, to: Endpoint, frame: Uint8Array) {
    super();
    this.#network = network;
    this.link = link;
    this.from = from;
    this.to = to;
    this.frame = withoutNeighbours(frame);
  }

  fire(): void {
    this.#network.onArrival(this);
  }
}

/**
 * What is under way is kept for seconds of real time in a large world, and short frames share a buffer of 8 kB (encode-cbor.ts): a short one is
 * copied, or V8 would count all of it, and collect its whole heap for every 64 MB of such buffers.
 */
function withoutNeighbours(frame: Uint8Array): Uint8Array {
  return frame.length <= frame.buffer.byteLength / 8 ? copyBytes(frame) : frame;
}

function isDead({ state }: Endpoint): boolean {
  return state === 'down' || state === 'gone';
}

function otherEnd(link: Link, end: Endpoint): Endpoint {
  if (end !== link.dialler) return link.dialler;
  assert(link.acceptor !== undefined, 'a connection carries frames after it was accepted');
  return link.acceptor;
}
