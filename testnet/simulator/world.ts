/**
 * A simulated network: N nodes of the production code on one virtual clock and network, all of it following from one seed. It offers what a
 * scenario does to a network and what a test asks of it. Not here: scenarios, tables and plots.
 */
import { assert, isNautilusError, type NodeEvent } from '../../src/core/index.ts';
import { type Contact, compareDistance, createContact, type NodeId, type NodeMode } from '../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, type NetworkConstants } from '../../src/records/index.ts';
import { logNormalLatency } from './latency.ts';
import type { ClockError } from './node-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import type { DiskOptions } from './simulated-disk.ts';
import { SimulatedNode } from './simulated-node.ts';
import { UnhandledRejections } from './unhandled-rejections.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { Endpoint } from './virtual-link.ts';
import { type NetworkConditions, VirtualNetwork } from './virtual-network.ts';
import { Keyring } from './virtual-signer.ts';

export interface WorldOptions {
  /** The whole run follows from it. */
  readonly seed: number | string;
  readonly nodes: number;
  /** False: machines with identities, none of which has ever run. Starting them and bringing them together is the scenario's. @default true */
  readonly joined?: boolean | undefined;
  /** @default log-normal one-way latency, median 20 ms, sigma 0.4; no loss */
  readonly conditions?: Partial<NetworkConditions> | undefined;
  readonly constants?: Partial<NetworkConstants> | undefined;
  /** @default every node a server */
  readonly modeOf?: ((number: number) => NodeMode) | undefined;
  readonly clockErrorOf?: ((number: number, random: SeededRandom) => ClockError) | undefined;
  /** A disk that loses what was not flushed when its node is killed. @default every write is on the disk at once */
  readonly disk?: DiskOptions | undefined;
  /** Open connections of a node. Fewer make a large world small: a connection takes some 700 bytes over both ends. @default 300, as over libp2p */
  readonly maxConnections?: number | undefined;
  /** False: servers that keep no records and so compare none: tables and lookups alone, at a third of the cost. @default true */
  readonly storing?: boolean | undefined;
  /** Real Ed25519 signatures instead of keyed hashes. @default false */
  readonly ed25519?: boolean | undefined;
  /** Told as nodes join, for progress lines. */
  readonly onProgress?: ((joined: number, total: number) => void) | undefined;
}

/** How many join at once, whatever the size of the network: of a larger one an eighth. */
const JOIN_BATCH = 64;
/** But no more: V8 collects all of its heap whenever the frames under way come to some 64 MB, and each of these nodes asks three others at once. */
const MAX_JOIN_BATCH = 4_096;

/** How long an operation may take in virtual time before it counts as one that never ends. */
const OPERATION_LIMIT_MS = 600_000;

export class World {
  readonly seed: string;
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly constants: NetworkConstants;
  readonly nodes: readonly SimulatedNode[];
  /** How often each event type was notified, over all nodes. */
  readonly events = new Map<NodeEvent['type'], number>();
  /** Frames that broke the protocol, by reason: in a world without liars each is a bug. */
  readonly misbehaviour = new Map<string, number>();

  private constructor(options: WorldOptions) {
    this.seed = String(options.seed);
    this.random = new SeededRandom(this.seed);
    this.constants = { ...DEFAULT_NETWORK_CONSTANTS, network: 'simulation', ...options.constants };
    this.network = new VirtualNetwork(this.clock, this.random.fork('network'), {
      latency: logNormalLatency(20, 0.4),
      ...options.conditions,
    });
    const keyring = new Keyring({ ed25519: options.ed25519 ?? false });
    const contacts: Contact[] = [];
    const identityAt = (endpoint: Endpoint): Contact => contacts[endpoint.number]!;
    this.nodes = Array.from({ length: options.nodes }, (_, number) => {
      const random = this.random.fork(`node ${number}`);
      const signer = keyring.createSigner(random);
      const self = createContact(signer.publicKey, [addressOf(number)]);
      contacts.push(self);
      return new SimulatedNode(
        {
          clock: this.clock,
          network: this.network,
          random,
          signer,
          verifier: keyring,
          observer: { notify: (event) => this.#notify(event) },
          identityAt,
          constants: this.constants,
        },
        {
          number,
          self,
          mode: options.modeOf?.(number) ?? 'server',
          clockError: options.clockErrorOf?.(number, random.fork('clock')),
          disk: options.disk,
          isStoring: options.storing,
          maxConnections: options.maxConnections,
        },
      );
    });
  }

  /** Unless `joined` is false, every node runs and has joined through one of the first, a batch at a time, each by the protocol's own means. */
  static async create(options: WorldOptions): Promise<World> {
    assert(options.nodes >= 1, 'a world has a node');
    const world = new World(options);
    const { nodes } = world;
    if (options.joined === false) return world;
    await world.do(() => nodes[0]!.start());
    for (let joined = 1; joined < nodes.length; ) {
      const batch = nodes.slice(joined, joined + joinBatchOf(joined));
      // So many that each has room for all its newcomers at once.
      const introducerOf = (i: number) => nodes[Math.floor(i / JOIN_BATCH)];
      await world.do(() => Promise.all(batch.map((node, i) => world.#join(node, introducerOf(i)))));
      joined += batch.length;
      options.onProgress?.(joined, nodes.length);
    }
    return world;
  }

  get alive(): readonly SimulatedNode[] {
    return this.nodes.filter(({ isAlive }) => isAlive);
  }

  /** Alive and not paused. */
  get running(): readonly SimulatedNode[] {
    return this.nodes.filter(({ isAlive, isPaused }) => isAlive && !isPaused);
  }

  /** The fingerprint of everything that was delivered so far. */
  get traceHash(): string {
    return this.network.trace.hash;
  }

  node(number: number): SimulatedNode {
    const node = this.nodes[number];
    assert(node !== undefined, `there is no node ${number}`);
    return node;
  }

  /** Starts `work` inside the world and runs time until it is done. An unhandled rejection anywhere fails the seed. */
  do<T>(work: () => Promise<T>, withinMs = OPERATION_LIMIT_MS): Promise<T> {
    return this.#replayable(() => this.clock.settle(work(), withinMs));
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    await this.#replayable(() => this.clock.run({ untilMs: this.clock.monotonic() + ms }));
  }

  /** A node that stopped or was killed comes back, through any live one. */
  restart(number: number): Promise<void> {
    const node = this.node(number);
    return this.do(() => this.#join(node, this.#introducerOf(node)));
  }

  /** Only nodes of the same group hear each other; nodes in no group form one more. */
  partition(groups: readonly (readonly number[])[]): void {
    this.network.faults.partition(groups);
  }

  /** Nothing gets through from these to those any more; the other way stays as it is. Adds up with other partitions. */
  partitionOneWay(from: readonly number[], to: readonly number[]): void {
    this.network.faults.partitionOneWay(from, to);
  }

  /** A share of the frames from these to those vanishes, on top of what vanishes everywhere. */
  lose(from: readonly number[], to: readonly number[], lossRate: number): void {
    this.network.faults.lose(from, to, lossRate);
  }

  /** Ends partitions and bad lines; what is wrong everywhere (`network.conditions`) stays. */
  heal(): void {
    this.network.faults.heal();
  }

  /** Somebody sets a node's wall clock: from now on it is so far ahead of the world's, in this life and the next ones. */
  setClock(number: number, skewMs: number): void {
    this.node(number).setClock(skewMs);
  }

  /** The oracle: by brute force over every id of the world, the K running servers nearest to `target`, nearest first. */
  trueClosest(target: NodeId, counts: (node: SimulatedNode) => boolean = () => true): readonly SimulatedNode[] {
    return this.running
      .filter((node) => node.mode === 'server' && counts(node))
      .sort((a, b) => compareDistance(target, a.self.id, b.self.id))
      .slice(0, this.constants.k);
  }

  toString(): string {
    const { clock, network } = this;
    const dead = this.nodes.length - this.alive.length;
    return [
      `seed ${this.seed}`,
      `${this.nodes.length} nodes${dead > 0 ? `, ${dead} dead` : ''}`,
      `${(clock.monotonic() / 1000).toFixed(3)} s of virtual time`,
      `${clock.eventsFired} events`,
      `${network.trace.frames} frames`,
      `trace ${this.traceHash}`,
    ].join(' · ');
  }

  async #join(node: SimulatedNode, introducer: SimulatedNode | undefined): Promise<void> {
    await node.start();
    if (introducer !== undefined) await node.join(introducer.self);
  }

  /** Node 0 while it runs: to look through all of them for each that joins would take longer than the rest of it in a large world. */
  #introducerOf(node: SimulatedNode): SimulatedNode | undefined {
    const first = this.node(0);
    if (first !== node && first.isAlive && !first.isPaused) return first;
    const others = this.running.filter((other) => other !== node);
    return others.length === 0 ? undefined : this.random.pick(others);
  }

  async #replayable<T>(work: () => Promise<T>): Promise<T> {
    const rejections = new UnhandledRejections();
    try {
      const result = await work();
      await rejections.check();
      return result;
    } catch (cause) {
      if (isNautilusError(cause)) throw cause; // an outcome of the operation, not a failure of the world
      throw new Error(`${String(this)} · replay with this seed`, { cause });
    } finally {
      rejections.release();
    }
  }

  #notify(event: NodeEvent): void {
    this.events.set(event.type, (this.events.get(event.type) ?? 0) + 1);
    if (event.type === 'peer-misbehaved') {
      this.misbehaviour.set(event.reason, (this.misbehaviour.get(event.reason) ?? 0) + 1);
    }
  }
}

/**
 * How many a network takes in at once: the first alone, then never more than it has nodes, and as many per neighbourhood however large it is
 * (up to 32,768). Otherwise each node of a large network would see every newcomer alone, and look at its regions anew each time.
 */
export function joinBatchOf(running: number): number {
  return Math.max(1, Math.min(running, Math.max(JOIN_BATCH, running >> 3), MAX_JOIN_BATCH));
}

/** One machine per private address: 10.0.0.0/8 has room for 16 million. */
function addressOf(number: number): string {
  return `/ip4/10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}/tcp/4801`;
}
