/**
 * Nodes come and go: sessions and downtimes drawn from the seed, or a recorded trace. It stops and starts nodes of a world while that runs, and
 * does nothing else to it. When and how each node ends depends on nothing but the seed: two versions of the protocol meet the same churn.
 */
import { assert, isNautilusError, KeyedQueue, sleep, type Timer } from '../../src/core/index.ts';
import { weibullResidual, weibullSession } from '../scenarios/index.ts';
import type { ChurnEvent } from './churn-trace.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

export interface ChurnOptions {
  /** Of the Weibull sessions; measured networks have 0.34 to 0.59, and 1 is too kind. @default 0.5 */
  readonly shape?: number | undefined;
  /** @default 7_200_000: two hours */
  readonly medianSessionMs?: number | undefined;
  /** Of the exponential downtimes. @default 1_800_000 */
  readonly meanDowntimeMs?: number | undefined;
  /** Share of ends that nobody hears of: power or cable gone. @default 0.25 */
  readonly silentShare?: number | undefined;
  /** Share of ends in which the node says goodbye; the rest are killed processes. @default 0.25 */
  readonly gracefulShare?: number | undefined;
  /** Share of nodes that come back with what their disk holds; the others have an empty one. @default 0.5 */
  readonly keepDiskShare?: number | undefined;
  /** Numbers of the nodes that come and go. @default all */
  readonly nodes?: readonly number[] | undefined;
  /** What was recorded elsewhere, instead of drawn sessions and downtimes; how a node ends is drawn as above. */
  readonly trace?: readonly ChurnEvent[] | undefined;
}

const REJOIN_MS = 30_000;

export class Churn {
  /** What it did so far. */
  readonly counts = { killed: 0, vanished: 0, stopped: 0, returned: 0, wiped: 0 };
  readonly #world: World;
  readonly #options: Required<Omit<ChurnOptions, 'trace'>>;
  readonly #trace: readonly ChurnEvent[] | undefined;
  readonly #introducers: SeededRandom;
  // BOUNDED: one entry per node.
  readonly #randomOf = new Map<SimulatedNode, SeededRandom>();
  // BOUNDED: one timer per node, or one for the whole trace.
  readonly #timers = new Map<SimulatedNode | 'trace', Timer>();
  /** A node's ends and returns happen one after the other. */
  readonly #queue = new KeyedQueue();
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(world: World, options: ChurnOptions = {}) {
    this.#world = world;
    this.#introducers = world.random.fork('churn introducers');
    this.#options = {
      shape: options.shape ?? 0.5,
      medianSessionMs: options.medianSessionMs ?? 7_200_000,
      meanDowntimeMs: options.meanDowntimeMs ?? 1_800_000,
      silentShare: options.silentShare ?? 0.25,
      gracefulShare: options.gracefulShare ?? 0.25,
      keepDiskShare: options.keepDiskShare ?? 0.5,
      nodes: options.nodes ?? world.nodes.map(({ number }) => number),
    };
    this.#trace = options.trace;
    const { silentShare, gracefulShare } = this.#options;
    assert(silentShare + gracefulShare <= 1, 'the shares of silent and of graceful ends add up to at most 1');
  }

  /**
   * From now on nodes come and go as the world's time passes. Those that run are met in the middle of their sessions: as in a network that has
   * been there for long, what is left of them follows from how long they last, not from a common start.
   */
  start(): void {
    assert(this.#state === 'new', 'a churn starts once');
    this.#state = 'running';
    const { nodes } = this.#options;
    if (this.#trace !== undefined) {
      this.#playFrom(this.#trace, 0, this.#world.clock.monotonic());
      return;
    }
    for (const node of nodes.map((number) => this.#world.node(number))) {
      if (node.isAlive) this.#endAfter(node, weibullResidual(this.#session, this.#uniformOf(node)));
      else this.#returnAfterDowntime(node);
    }
  }

  /** Nothing more happens; nodes stay as they are. */
  stop(): void {
    this.#state = 'stopped';
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #playFrom(trace: readonly ChurnEvent[], index: number, startedAt: number): void {
    const event = trace[index];
    if (event === undefined) return;
    this.#arm('trace', startedAt + event.atMs - this.#world.clock.monotonic(), () => {
      const node = this.#world.node(event.node);
      // Whatever goes wrong is a bug, and an unhandled rejection fails the seed.
      void this.#queue.run(String(event.node), () => (event.kind === 'up' ? this.#bringBack(node) : this.#end(node)));
      this.#playFrom(trace, index + 1, startedAt);
    });
  }

  #endAfter(node: SimulatedNode, sessionMs: number): void {
    this.#arm(node, sessionMs, () => {
      const ended = this.#queue.run(String(node.number), () => this.#end(node));
      void ended.then(() => this.#returnAfterDowntime(node));
    });
  }

  #returnAfterDowntime(node: SimulatedNode): void {
    const uniform = this.#uniformOf(node);
    const downtime = { median: this.#options.meanDowntimeMs * Math.LN2, shape: 1 };
    this.#arm(node, weibullSession(downtime, uniform), () => {
      const returned = this.#queue.run(String(node.number), () => this.#bringBack(node));
      void returned.then(() => this.#endAfter(node, weibullSession(this.#session, uniform)));
    });
  }

  /** One way or another. A node that a scenario has ended already stays as it is. */
  async #end(node: SimulatedNode): Promise<void> {
    const { silentShare, gracefulShare } = this.#options;
    const how = this.#chanceOf(node).next();
    if (!node.isAlive) return;
    const silent = how < silentShare;
    if (silent || how >= silentShare + gracefulShare || node.isPaused) {
      this.counts[silent ? 'vanished' : 'killed']++;
      node.kill({ silent });
    } else {
      this.counts.stopped++;
      await node.stop();
    }
  }

  async #bringBack(node: SimulatedNode): Promise<void> {
    const keepsDisk = this.#chanceOf(node).chance(this.#options.keepDiskShare);
    if (node.isAlive) return;
    this.counts.returned++;
    if (!keepsDisk) {
      this.counts.wiped++;
      node.wipe();
    }
    await node.start();
    void this.#join(node);
  }

  /** Through anybody who runs; again and again, for a network in trouble may not let it in at once. */
  async #join(node: SimulatedNode): Promise<void> {
    const { life } = node;
    const isOver = () => !node.isAlive || node.life !== life;
    while (!isOver()) {
      const others = this.#world.running.filter((other) => other !== node);
      if (others.length === 0) return;
      try {
        return await node.join(this.#introducers.pick(others).self);
      } catch (error) {
        if (isOver()) return;
        if (!isNautilusError(error)) throw error;
        await sleep(life.clock, REJOIN_MS);
      }
    }
  }

  #arm(what: SimulatedNode | 'trace', delayMs: number, callback: () => void): void {
    if (this.#state === 'running') this.#timers.set(what, this.#world.clock.setTimer(delayMs, callback));
  }

  get #session(): { readonly median: number; readonly shape: number } {
    const { medianSessionMs, shape } = this.#options;
    return { median: medianSessionMs, shape };
  }

  #uniformOf(node: SimulatedNode): () => number {
    const random = this.#chanceOf(node);
    return () => random.next();
  }

  #chanceOf(node: SimulatedNode): SeededRandom {
    let random = this.#randomOf.get(node);
    if (random === undefined) {
      random = this.#world.random.fork(`churn of node ${node.number}`);
      this.#randomOf.set(node, random);
    }
    return random;
  }
}
