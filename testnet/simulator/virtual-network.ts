/**
 * The network of a simulated world: machines with addresses, connections between them, and everything that goes wrong in between. It knows
 * frames as bytes; what they say is the transport's business. Not here: bandwidth, queueing in routers.
 */
import { assert } from '../../src/core/index.ts';
import { constantLatency, type LatencyModel } from './latency.ts';
import type { SeededRandom } from './seeded-random.ts';
import { Trace } from './trace.ts';
import { type FramePurpose, Traffic } from './traffic.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { type CloseCause, type ConnectionHandler, Endpoint, type Link } from './virtual-link.ts';

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
}

const DEFAULT_CONDITIONS: NetworkConditions = {
  latency: constantLatency(1),
  lossRate: 0,
  duplicationRate: 0,
  handshakeRoundTrips: 2,
};

/** Whether frames get through from one node to another; asked with their numbers. Not symmetric unless it wants to be. */
export type Reachability = (from: number, to: number) => boolean;

const EVERYBODY: Reachability = () => true;

export class VirtualNetwork {
  readonly conditions: NetworkConditions;
  readonly trace = new Trace();
  readonly traffic = new Traffic();
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  // BOUNDED: one entry per address ever used in this world.
  readonly #byAddress = new Map<string, Endpoint>();
  #reachable: Reachability = EVERYBODY;

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

  /** Only nodes of the same group hear each other; nodes in no group form one more. */
  partition(groups: readonly (readonly number[])[]): void {
    const groupOf = new Map(groups.flatMap((group, index) => group.map((number) => [number, index] as const)));
    this.#reachable = (from, to) => groupOf.get(from) === groupOf.get(to);
  }

  setReachability(reachable: Reachability): void {
    this.#reachable = reachable;
  }

  heal(): void {
    this.#reachable = EVERYBODY;
  }

  /** Begins a connection; `hello` is the dialler's first frame. Refusal comes back as `onLinkClosed`, silence is silence. */
  dial(from: Endpoint, address: string, hello: Uint8Array): Link {
    this.traffic.dials++;
    this.traffic.count('HELLO', hello.length);
    const link: Link = { dialler: from, acceptor: undefined, isClosed: false };
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
    if (!this.#survives(from, to)) return link;
    let delay = this.#latency(from, to);
    for (let i = 0; i < this.conditions.handshakeRoundTrips; i++) {
      delay += this.#latency(to, from) + this.#latency(from, to);
    }
    this.#clock.setTimer(delay, () => this.#arriveDial(link, to, hello));
    return link;
  }

  /** Sends a frame over an open connection, from one of its ends. */
  send(link: Link, from: Endpoint, frame: Uint8Array, purpose: FramePurpose): void {
    const to = otherEnd(link, from);
    this.traffic.count(purpose, frame.length);
    if (!this.#survives(from, to)) return;
    this.#carry(link, from, to, frame);
    if (this.#random.chance(this.conditions.duplicationRate)) {
      this.traffic.duplicated++;
      this.#carry(link, from, to, frame);
    }
  }

  /** Closes one end; the other hears of it when the news gets through. */
  close(link: Link, from: Endpoint): void {
    link.isClosed = true;
    this.#release(link, from);
  }

  /** The process is gone: the system under it breaks its connections and refuses new ones. It never hears of anything again. */
  kill(endpoint: Endpoint): void {
    endpoint.state = 'down';
    endpoint.backlog.length = 0;
    for (const link of endpoint.links) this.#release(link, endpoint);
  }

  /** The whole machine is gone, or its cable: no connection breaks, nothing is refused, and what is sent there is never heard of again. */
  vanish(endpoint: Endpoint): void {
    endpoint.state = 'gone';
    endpoint.backlog.length = 0;
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
    if (!this.#random.chance(this.conditions.lossRate)) return true;
    this.traffic.dropped.lost++;
    return false;
  }

  /** Latency is drawn per frame, so frames may overtake each other; nothing overtakes the HELLO that opened its direction. */
  #carry(link: Link, from: Endpoint, to: Endpoint, frame: Uint8Array): void {
    const now = this.#clock.monotonic();
    let arrivesAt = now + this.#latency(from, to);
    if (from === link.acceptor) {
      link.answeredAt ??= arrivesAt;
      arrivesAt = Math.max(arrivesAt, link.answeredAt);
    }
    this.#clock.setTimer(arrivesAt - now, () => this.#arriveFrame(link, from, to, frame));
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
    this.#arrive(to, () => {
      if (!from.links.has(link)) return; // given up meanwhile
      to.links.add(link);
      this.trace.add(this.#clock.monotonic(), from.number, to.number, hello);
      to.handler.onFrame(link, hello);
    });
  }

  #arriveFrame(link: Link, from: Endpoint, to: Endpoint, frame: Uint8Array): void {
    if (!this.#reachable(from.number, to.number)) {
      this.traffic.dropped.partitioned++;
      return;
    }
    this.#arrive(to, () => {
      if (to.links.has(link)) {
        this.trace.add(this.#clock.monotonic(), from.number, to.number, frame);
        to.handler.onFrame(link, frame);
      } else this.#refuse(link, from, to);
    });
    if (to.state === 'down' || (to.state === 'gone' && this.#byAddress.get(to.address) !== to)) {
      this.#refuse(link, from, to);
    } else if (to.state === 'gone') this.traffic.dropped.vanished++;
  }

  #release(link: Link, from: Endpoint): void {
    if (!from.links.delete(link) || link.acceptor === undefined) return;
    const to = otherEnd(link, from);
    if (!this.#reachable(from.number, to.number)) return;
    this.#notifyClosed(link, to, this.#latency(from, to), link.isClosed ? 'closed' : 'lost');
  }

  /** A frame on a connection its receiver does not know (any more), or whose machine has started anew since, is answered with a reset. */
  #refuse(link: Link, from: Endpoint, to: Endpoint): void {
    this.traffic.dropped.refused++;
    if (!this.#reachable(to.number, from.number)) return;
    this.#notifyClosed(link, from, this.#latency(to, from), link.isClosed ? 'closed' : 'lost');
  }

  #notifyClosed(link: Link, to: Endpoint, delayMs: number, cause: CloseCause): void {
    this.#clock.setTimer(delayMs, () =>
      this.#arrive(to, () => {
        if (to.links.delete(link)) to.handler.onLinkClosed(link, cause);
      }),
    );
  }

  #arrive(to: Endpoint, work: () => void): void {
    if (to.state === 'up') work();
    else if (to.state === 'paused') to.keep(work);
  }
}

function isDead({ state }: Endpoint): boolean {
  return state === 'down' || state === 'gone';
}

function otherEnd(link: Link, end: Endpoint): Endpoint {
  if (end !== link.dialler) return link.dialler;
  assert(link.acceptor !== undefined, 'a connection carries frames after it was accepted');
  return link.acceptor;
}
