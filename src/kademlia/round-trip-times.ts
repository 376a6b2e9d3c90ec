/**
 * How long to wait for whom: smoothed round trip and its deviation per peer (Jacobson/Karels, RFC 6298), a doubled patience after each timeout,
 * and the memory of who was silent, so that the same silence is not paid for twice. Times are kept as whole microseconds: small integers.
 */
import { BoundedMap, type Load } from '../core/index.ts';
import type { NodeId } from './node-id.ts';

export interface RoundTripTimesInit {
  /** Least time before a lookup asks somebody else too, ms. @default 30 */
  readonly minHedgeMs: number;
  /** Most time a silent contact holds a lookup's slot, ms: only where round trips are long. @default 1_000 */
  readonly maxHedgeMs: number;
  /** Least time before an answer is given up, ms: routes change and machines stall without anybody being dead (RFC 6298 §2.4). @default 1_000 */
  readonly minTimeoutMs: number;
  /** Most time, ms. @default 5_000 */
  readonly maxTimeoutMs: number;
  /** The same for a peer never measured, ms. @default 1_500 */
  readonly strangerTimeoutMs: number;
  /** Added while there is no connection yet, ms: dialling takes several round trips and cryptography. @default 1_500 */
  readonly dialBudgetMs: number;
  /** How long a peer that was silent is passed over, ms; doubles each time. @default 2_000 */
  readonly minSuspicionMs: number;
  /** @default 30_000 */
  readonly maxSuspicionMs: number;
  /** Peers remembered. @default 1_024 */
  readonly capacity: number;
}

const DEFAULT_ROUND_TRIP_TIMES: RoundTripTimesInit = {
  minHedgeMs: 30,
  maxHedgeMs: 1_000,
  minTimeoutMs: 1_000,
  maxTimeoutMs: 5_000,
  strangerTimeoutMs: 1_500,
  dialBudgetMs: 1_500,
  minSuspicionMs: 2_000,
  maxSuspicionMs: 30_000,
  capacity: 1_024,
};

/** Connecting, security, HELLO, then the request. What is usual has room for the multiplexer and the cryptography. */
const DIAL_ROUND_TRIPS = 4;
/** How much farther than the others it may be: with 1, some lookups of new nodes miss one of the K closest. */
const STRANGER_FACTOR = 2;

interface PeerTimes {
  /** Smoothed round trip, µs; 0 when never measured. */
  smoothedUs: number;
  deviationUs: number;
  /** Timeouts and failures in a row. */
  silences: number;
  /** When the first of them was noticed, monotonic ms. */
  silentSince: number;
  /** Monotonic ms. */
  suspectUntil: number;
}

export class RoundTripTimes {
  readonly #init: RoundTripTimesInit;
  // BOUNDED: init.capacity peers, least recently used forgotten.
  readonly #peers: BoundedMap<string, PeerTimes>;
  /** All samples together: what to expect of a stranger. Half a second until something was measured. */
  readonly #everybody: PeerTimes = { ...unmeasured(), deviationUs: 250_000 };

  constructor(init: Partial<RoundTripTimesInit> = {}) {
    this.#init = { ...DEFAULT_ROUND_TRIP_TIMES, ...init };
    this.#peers = new BoundedMap(this.#init.capacity);
  }

  /** Peers remembered. */
  get load(): Load {
    return { size: this.#peers.size, limit: this.#init.capacity };
  }

  /** A request over an open connection was answered after `elapsedMs`. */
  measured(id: NodeId, elapsedMs: number): void {
    const sampleUs = Math.max(1, Math.round(elapsedMs * 1_000));
    const times = this.#timesOf(id);
    smooth(times, sampleUs);
    smooth(this.#everybody, sampleUs);
    times.silences = 0;
    times.suspectUntil = 0;
  }

  /** A sign of life that says nothing about the time it takes. */
  heardOf(id: NodeId): void {
    const times = this.#peers.peek(id.hex);
    if (times === undefined || times.silences === 0) return;
    times.silences = 0;
    times.suspectUntil = 0;
  }

  /** It did not answer in time, or not at all. */
  silent(id: NodeId, monotonicMs: number): void {
    const times = this.#timesOf(id);
    const { minSuspicionMs, maxSuspicionMs } = this.#init;
    times.suspectUntil = Math.ceil(monotonicMs + Math.min(maxSuspicionMs, minSuspicionMs * 2 ** times.silences));
    if (times.silences === 0) times.silentSince = Math.floor(monotonicMs);
    if (times.silences < 16) times.silences++;
  }

  /** When its present silence was first noticed, monotonic ms; undefined while it is not known to be silent. */
  silentSince(id: NodeId): number | undefined {
    const times = this.#peers.peek(id.hex);
    return times === undefined || times.silences === 0 ? undefined : times.silentSince;
  }

  /** Was silent last time, and not long ago. */
  isSuspect(id: NodeId, monotonicMs: number): boolean {
    const times = this.#peers.peek(id.hex);
    return times !== undefined && times.suspectUntil > monotonicMs;
  }

  /** Smoothed, ms; undefined when never measured. */
  rttMs(id: NodeId): number | undefined {
    const times = this.#peers.peek(id.hex);
    return times === undefined || times.smoothedUs === 0 ? undefined : times.smoothedUs / 1_000;
  }

  /** When a lookup should no longer rely on this contact alone, ms. */
  hedgeAfterMs(id: NodeId, isConnected: boolean): number {
    const { minHedgeMs, maxHedgeMs, dialBudgetMs } = this.#init;
    const times = this.#peers.peek(id.hex);
    const usual = times === undefined || times.smoothedUs === 0 ? undefined : Math.max(minHedgeMs, usualMs(times));
    if (isConnected && usual !== undefined) return Math.min(maxHedgeMs, usual);
    // Whoever was never measured may be farther than the others, and a dial takes more than one round trip.
    const factor = isConnected ? STRANGER_FACTOR : DIAL_ROUND_TRIPS;
    const strange = Math.max(2 * minHedgeMs, factor * likelyMs(this.#everybody), usual ?? 0);
    return Math.min(maxHedgeMs + (isConnected ? 0 : dialBudgetMs), strange);
  }

  /** When to give up, ms. */
  timeoutMs(id: NodeId, isConnected: boolean): number {
    const { minTimeoutMs, maxTimeoutMs, strangerTimeoutMs, dialBudgetMs } = this.#init;
    const times = this.#peers.peek(id.hex);
    const usual = times === undefined || times.smoothedUs === 0 ? strangerTimeoutMs : usualMs(times);
    const patience = Math.max(minTimeoutMs, usual, usualMs(this.#everybody)) * 2 ** (times?.silences ?? 0);
    return Math.min(maxTimeoutMs, patience) + (isConnected ? 0 : dialBudgetMs);
  }

  #timesOf(id: NodeId): PeerTimes {
    let times = this.#peers.get(id.hex);
    if (times === undefined) {
      times = unmeasured();
      this.#peers.set(id.hex, times);
    }
    return times;
  }
}

function unmeasured(): PeerTimes {
  return { smoothedUs: 0, deviationUs: 0, silences: 0, silentSince: 0, suspectUntil: 0 };
}

/** RFC 6298 §2 with alpha = 1/8 and beta = 1/4. */
function smooth(times: PeerTimes, sampleUs: number): void {
  if (times.smoothedUs === 0) {
    times.smoothedUs = sampleUs;
    times.deviationUs = sampleUs >> 1;
  } else {
    times.deviationUs += (Math.abs(times.smoothedUs - sampleUs) - times.deviationUs) >> 2;
    times.smoothedUs = Math.max(1, times.smoothedUs + ((sampleUs - times.smoothedUs) >> 3));
  }
}

/** Mean plus four deviations, ms: what all but a few answers keep to. */
function usualMs(times: PeerTimes): number {
  return (times.smoothedUs + 4 * times.deviationUs) / 1_000;
}

/**
 * Mean plus two deviations, ms: what nineteen of twenty keep to. To ask somebody else too for every twentieth costs little, and to wait four
 * deviations of everybody, four times over for a dial, costs seconds (Dean and Barroso, The Tail at Scale, 2013).
 */
function likelyMs(times: PeerTimes): number {
  return (times.smoothedUs + 2 * times.deviationUs) / 1_000;
}
