/**
 * Gets a node into its network and back into it. Every source, and the saved table, is followed on its own: ask it, dial what it names, look
 * around (`bootstrap()` of the table), wait, again. While the table is dry the waits are a back-off; once it is not they are long, and asking again is what heals a
 * network that was cut in two. The node's start never waits for any of it. Not here: what sources are, and how an address is dialled.
 */
import {
  type Clock,
  isNautilusError,
  NautilusError,
  type Observer,
  type Random,
  sleep,
  untilAborted,
} from '../core/index.ts';
import type { Peer, RequestOptions } from '../kademlia/index.ts';
import { askSource } from './ask-source.ts';
import { Backoff, jittered } from './backoff.ts';
import { describeMissing, describeRound } from './describe-round.ts';
import { createDialPeers, type DialPeers } from './dial-peers.ts';
import { createSystemNameResolver, type NameResolver } from './name-resolver.ts';
import type { PeerSource } from './peer-source.ts';

/** What the bootstrapper needs of Kademlia. */
export interface NetworkToJoin {
  /** Dials an address, exchanges HELLO and offers the peer to the table. Cheap when the peer is connected already. */
  connect(address: string, options: RequestOptions): Promise<Peer>;
  /** Finds this node's own neighbourhood and refreshes the buckets. An empty table first knocks at the doors of those it misses. */
  bootstrap(options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>;
  readonly table: {
    /** Contacts that answered. */
    readonly size: number;
    /** Those of the saved table, and those lost, that did not answer yet or again. */
    missing(): readonly unknown[];
  };
}

export interface BootstrapperInit {
  readonly kademlia: NetworkToJoin;
  readonly sources: readonly PeerSource[];
  /** This node's peer id: lists and discovery name everybody, the asker too. */
  readonly selfPeerId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** @default the system's */
  readonly resolver?: NameResolver | undefined;
  /** How often a joined node asks its sources again, ms, ± 25 %. Longer: cuts heal later. @default 600_000 */
  readonly probeIntervalMs?: number | undefined;
}

/** `alone`: nobody to ask, a network of one until somebody dials. `joining`: nobody in the table yet, or no longer. */
export type BootstrapState = 'alone' | 'joining' | 'joined';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

const WATCH_INTERVAL_MS = 5_000;

export class Bootstrapper {
  readonly #init: BootstrapperInit;
  readonly #dial: DialPeers;
  readonly #probeIntervalMs: number;
  readonly #stopping = new AbortController();
  readonly #firstJoin: Promise<'joined'>;
  /** Raced once: whoever asks waits for this one promise, which settles, and not again for a join that may never come. */
  readonly #firstAttempt: Promise<'joined' | 'nobody'>;
  #onFirstJoin!: () => void;
  #onFirstRounds!: () => void;
  /** Aborted to end all waits at once; then replaced. */
  #waking = new AbortController();
  // BOUNDED: one per source, and the watch.
  #loops: readonly Promise<void>[] = [];
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  /** A bootstrap node counts too, though it is in no table. */
  #hasMetSomebody = false;
  #hasJoined = false;

  constructor(init: BootstrapperInit) {
    this.#init = init;
    this.#dial = createDialPeers(
      (address, options) => init.kademlia.connect(address, options),
      init.resolver ?? createSystemNameResolver(),
    );
    this.#probeIntervalMs = init.probeIntervalMs ?? 600_000;
    this.#firstJoin = new Promise((resolve) => {
      this.#onFirstJoin = () => resolve('joined');
    });
    const firstRounds = new Promise<'nobody'>((resolve) => {
      this.#onFirstRounds = () => resolve('nobody');
    });
    this.#firstAttempt = Promise.race([this.#firstJoin, firstRounds]);
  }

  get state(): BootstrapState {
    if (!this.#isDry()) return 'joined';
    return this.#init.sources.length === 0 && this.#missing() === 0 ? 'alone' : 'joining';
  }

  /** Begins and returns at once. To be called once. */
  start(): void {
    let firstRoundsLeft = this.#init.sources.length + 1;
    const onFirstRound = () => {
      firstRoundsLeft--;
      if (firstRoundsLeft === 0) this.#onFirstRounds();
    };
    const loops = this.#init.sources.map((source) => this.#followSource(source, onFirstRound));
    this.#loops = [...loops, this.#followTable(onFirstRound), this.#watch()].map((loop) => this.#untilStopped(loop));
  }

  /** Ends all waits and dials, then closes the sources. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new NautilusError('ABORTED', 'the node is stopping'));
    this.#waking.abort();
    await Promise.all(this.#loops);
    await Promise.all(this.#init.sources.map((source) => source.close?.()));
  }

  /**
   * Resolves once somebody answered and the first look around is done; for a node nobody answers that may be never.
   * @throws the signal's reason; NautilusError `ABORTED` when this is stopped first
   */
  async whenJoined({ signal }: WaitOptions = {}): Promise<void> {
    await untilAborted(untilAborted(this.#firstJoin, this.#stopping.signal), signal);
  }

  /**
   * How the first try went, for those who will not wait for better times. `nobody`: every source was asked once and nobody answered.
   * @throws as `whenJoined`
   */
  firstAttempt({ signal }: WaitOptions = {}): Promise<'joined' | 'nobody'> {
    return untilAborted(untilAborted(this.#firstAttempt, this.#stopping.signal), signal);
  }

  #isDry(): boolean {
    return this.#init.kademlia.table.size === 0;
  }

  #missing(): number {
    return this.#init.kademlia.table.missing().length;
  }

  async #followSource(source: PeerSource, onFirstRound: () => void): Promise<void> {
    const { random, selfPeerId } = this.#init;
    const { signal } = this.#stopping;
    const backoff = new Backoff(random);
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const round = await askSource(source, { dial: this.#dialAndLookAround, selfPeerId, signal });
      await this.#looking;
      if (isFirst) onFirstRound();
      if (this.#isDry()) {
        const delayMs = backoff.next();
        for (const line of describeRound(round, delayMs)) this.#say(source.name, line);
        await this.#pause(delayMs);
      } else {
        backoff.reset();
        await this.#pause(jittered(this.#probeIntervalMs, random));
      }
    }
  }

  /** The table's own memory, which makes a restart independent of any source. Once somebody answers, the table cares for the others itself. */
  async #followTable(onFirstRound: () => void): Promise<void> {
    const { random } = this.#init;
    const backoff = new Backoff(random);
    for (let isFirst = true; !this.#stopping.signal.aborted; isFirst = false) {
      if (this.#isDry() && this.#missing() > 0) await this.#lookAround();
      if (isFirst) onFirstRound();
      if (!this.#isDry()) backoff.reset();
      const delayMs = this.#isDry() ? backoff.next() : this.#probeIntervalMs;
      const missing = this.#missing();
      if (this.#isDry() && missing > 0) this.#say('saved table', describeMissing(missing, delayMs));
      await this.#pause(delayMs);
    }
  }

  /** Looks around at once: the round may have dead addresses to wait for. */
  readonly #dialAndLookAround: DialPeers = async (address, options) => {
    const connected = await this.#dial(address, options);
    this.#hasMetSomebody = true;
    void this.#lookAround();
    return connected;
  };

  /** Notices what no source tells: the table ran dry, or somebody came to a node that was alone. */
  async #watch(): Promise<void> {
    for (let wasDry = true; ; ) {
      await sleep(this.#init.clock, WATCH_INTERVAL_MS, this.#stopping.signal);
      const isDry = this.#isDry();
      if (isDry && !wasDry) {
        this.#say('network', 'every peer in the table is gone: looking for others');
        this.#waking.abort();
        this.#waking = new AbortController();
      } else if (wasDry && !isDry && !this.#hasJoined) {
        await this.#lookAround();
      }
      wasDry = isDry;
    }
  }

  /**
   * One at a time. Who connects somebody while one goes on gets another one after it: the first may have passed the newcomer by. Rejects only
   * for bugs.
   */
  #lookAround(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookAroundWhileAsked().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAroundWhileAsked(): Promise<void> {
    const { kademlia } = this.#init;
    while (this.#lookAgain) {
      this.#lookAgain = false;
      try {
        await kademlia.bootstrap({ signal: this.#stopping.signal });
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (!isNautilusError(error)) throw error;
        this.#say('network', `looking for neighbours failed (${error.message}); the next round tries again`);
        return;
      }
    }
    if (this.#hasJoined || (this.#isDry() && !this.#hasMetSomebody)) return;
    this.#hasJoined = true;
    this.#onFirstJoin();
    const { size } = kademlia.table;
    this.#say('network', `joined: ${size === 0 ? 'no storing node is known yet' : `${size} in the table`}`);
  }

  #say(source: string, message: string): void {
    this.#init.observer.notify({ type: 'bootstrap-progress', source, message });
  }

  async #pause(delayMs: number): Promise<void> {
    const { signal } = this.#waking;
    try {
      await sleep(this.#init.clock, delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error; // woken: the pause is over, nothing failed
    }
  }

  /** A loop ends with the stop; anything else that ends it is a bug and stays a rejection. */
  async #untilStopped(loop: Promise<void>): Promise<void> {
    try {
      await loop;
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error;
    }
  }
}

export function createBootstrapper(init: BootstrapperInit): Bootstrapper {
  return new Bootstrapper(init);
}
