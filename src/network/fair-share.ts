/**
 * How much of this node one peer may use at a time. A peer alone may have nearly all of it; as soon as a second one asks for something, each gets
 * the small share, so that a flood costs the others a few requests' time per turn and not its whole backlog. Not here: stopping to read.
 */
import { type Clock, TokenBucket } from '../core/index.ts';
import type { NetworkLimits } from './network-limits.ts';

const WINDOW_MS = 500;
const ALONE_FACTOR = 8;

export class FairShare {
  readonly #clock: Clock;
  readonly #limits: NetworkLimits;
  #window = 0;
  #activeNow = 0;
  #activeBefore = 0;
  #uses = 0;

  constructor(clock: Clock, limits: NetworkLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  createAccount(): PeerAccount {
    const { answerBytesPerSecond } = this.#limits;
    const answers = new TokenBucket(this.#clock, { perSecond: answerBytesPerSecond, burst: answerBytesPerSecond });
    return { serving: 0, window: -1, lastUsed: ++this.#uses, answers };
  }

  /** Something goes between this node and the peer. */
  use(account: PeerAccount): void {
    account.lastUsed = ++this.#uses;
  }

  /** Requests `account` may have under way, now that it makes another; a quarter of it may start in one turn of the event loop. */
  limit(account: PeerAccount): number {
    account.lastUsed = ++this.#uses;
    const window = Math.floor(this.#clock.monotonic() / WINDOW_MS);
    if (window !== this.#window) {
      this.#activeBefore = window === this.#window + 1 ? this.#activeNow : 0;
      this.#activeNow = 0;
      this.#window = window;
    }
    if (account.window !== window) {
      account.window = window;
      this.#activeNow++;
    }
    return this.#activeNow > 1 || this.#activeBefore > 1
      ? this.#limits.maxServing
      : this.#limits.maxServing * ALONE_FACTOR;
  }
}

/** What one peer uses now, over all its streams. */
export interface PeerAccount {
  serving: number;
  /** The last window it asked for something in. */
  window: number;
  /** Larger: later. */
  lastUsed: number;
  /** Bytes of answers. */
  readonly answers: TokenBucket;
}
