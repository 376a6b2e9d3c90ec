/**
 * One node of a world: the production Kademlia, replication and registry on virtual ports. What survives its process (identity, state, the
 * store's disk) is kept apart from the life that ends with a kill. Not here: which nodes there are and what happens to them (world.ts).
 */
import { assert, type Clock, isNautilusError, type Observer, sleep } from '../../src/core/index.ts';
import { type Contact, Kademlia, type NodeMode } from '../../src/kademlia/index.ts';
import type { NetworkConstants, Signer, Verifier } from '../../src/records/index.ts';
import { openRegistry, type Registry } from '../../src/registry/index.ts';
import { Replication } from '../../src/replication/index.ts';
import { type ClockError, NodeClock } from './node-clock.ts';
import type { SeededRandom } from './seeded-random.ts';
import { type DiskOptions, SimulatedDisk } from './simulated-disk.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualNetwork } from './virtual-network.ts';
import { type IdentityAt, VirtualTransport } from './virtual-transport.ts';

export interface SimulatedNodeComponents {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly random: SeededRandom;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly observer: Observer;
  readonly identityAt: IdentityAt;
  readonly constants: NetworkConstants;
}

export interface SimulatedNodeInit {
  readonly number: number;
  readonly self: Contact;
  readonly mode: NodeMode;
  readonly clockError?: ClockError | undefined;
  readonly disk?: DiskOptions | undefined;
  /** Whether a server keeps records. @default true */
  readonly isStoring?: boolean | undefined;
  /** @default 300, as over libp2p */
  readonly maxConnections?: number | undefined;
}

/** From start to stop or kill: what one process would hold. */
export interface NodeLife {
  readonly clock: NodeClock;
  readonly transport: VirtualTransport;
  readonly kademlia: Kademlia;
  readonly replication: Replication;
  /** Undefined on clients and bootstrap nodes. */
  readonly registry: Registry | undefined;
}

const JOIN_ATTEMPTS = 10;
const JOIN_RETRY_MS = 1_000;

export class SimulatedNode {
  readonly number: number;
  readonly self: Contact;
  readonly mode: NodeMode;
  readonly signer: Signer;
  readonly #components: SimulatedNodeComponents;
  #clockError: ClockError | undefined;
  readonly #diskOptions: DiskOptions | undefined;
  readonly #isStoring: boolean;
  readonly #maxConnections: number | undefined;
  #disk: SimulatedDisk;
  #life: NodeLife | undefined;
  #clock: NodeClock;
  #lives = 0;
  #disks = 0;
  #isPaused = false;

  constructor(components: SimulatedNodeComponents, init: SimulatedNodeInit) {
    this.#components = components;
    this.number = init.number;
    this.self = init.self;
    this.mode = init.mode;
    this.signer = components.signer;
    this.#clockError = init.clockError;
    this.#clock = new NodeClock(components.clock, init.clockError);
    this.#diskOptions = init.disk;
    this.#isStoring = init.isStoring ?? true;
    this.#maxConnections = init.maxConnections;
    this.#disk = this.#createDisk();
  }

  get isAlive(): boolean {
    return this.#life !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The running parts. A dead node has none: asking for them is a bug of the scenario. */
  get life(): NodeLife {
    assert(this.#life !== undefined, `node ${this.number} is not running`);
    return this.#life;
  }

  get kademlia(): Kademlia {
    return this.life.kademlia;
  }

  get replication(): Replication {
    return this.life.replication;
  }

  /** Entries of its disk that a kill at this moment would lose, or leave as they were before. */
  get unflushed(): number {
    return this.#disk.unflushed;
  }

  /** Starts a life. It knows nobody until it connects somewhere, unless its state does. */
  async start(): Promise<void> {
    assert(this.#life === undefined, `node ${this.number} runs already`);
    const { network, signer, verifier, observer, identityAt, constants } = this.#components;
    const { self, mode, number } = this;
    const clock = new NodeClock(this.#components.clock, this.#clockError);
    this.#clock = clock;
    await this.#disk.mount();
    const random = this.#components.random.fork(`life ${this.#lives++}`);
    const transport = new VirtualTransport(
      { network, clock, observer, identityAt },
      { number, self, mode, constants, maxConnections: this.#maxConnections },
    );
    const kademlia = new Kademlia({ transport, clock, random, observer, state: this.#disk.state, constants });
    const registry = mode === 'server' && this.#isStoring ? await this.#openRegistry(clock) : undefined;
    const replication = await Replication.create({
      kademlia,
      store: registry,
      state: this.#disk.state,
      signer,
      verifier,
      clock,
      random: random.fork('repair'),
      observer,
      constants,
    });
    await kademlia.start(replication.handler, replication);
    replication.start();
    this.#life = { clock, transport, kademlia, replication, registry };
  }

  /** Joins through a node that is already there; knocks again when the network loses the first attempts. */
  async join(through: Contact): Promise<void> {
    const { kademlia, clock } = this.life;
    const address = through.addresses[0];
    assert(address !== undefined, 'who introduces has an address');
    for (let attempt = 1; ; attempt++) {
      try {
        await kademlia.connect(address);
        break;
      } catch (error) {
        if (!isNautilusError(error) || attempt === JOIN_ATTEMPTS) throw error;
        await sleep(clock, JOIN_RETRY_MS);
      }
    }
    await kademlia.bootstrap();
  }

  /** Graceful. */
  async stop(): Promise<void> {
    const { kademlia, replication, registry, clock } = this.life;
    await replication.leave();
    await kademlia.stop();
    await replication.stop();
    await registry?.close();
    clock.kill();
    this.#life = undefined;
  }

  /**
   * SIGKILL: nothing of this life runs again, and its connections break at once. `silent`: power or cable is gone, nobody hears of it, and
   * only silence tells its peers.
   */
  kill(options: { readonly silent?: boolean | undefined } = {}): void {
    const { transport, clock } = this.life;
    const { network } = this.#components;
    if (options.silent === true) network.vanish(transport.endpoint);
    else network.kill(transport.endpoint);
    clock.kill();
    this.#life = undefined;
    this.#isPaused = false;
  }

  /** A new disk under the same identity, for the next life. */
  wipe(): void {
    assert(this.#life === undefined, 'only a stopped node gets another disk');
    this.#disk = this.#createDisk();
  }

  /** The machine's wall clock is set. */
  setClock(skewMs: number): void {
    this.#clockError = { ...this.#clockError, skewMs };
    this.#clock.setSkew(skewMs);
  }

  /** SIGSTOP. */
  pause(): void {
    this.#isPaused = true;
    this.life.clock.pause();
    this.#components.network.pause(this.life.transport.endpoint);
  }

  /** SIGCONT. */
  resume(): void {
    this.#isPaused = false;
    this.life.clock.resume();
    this.#components.network.resume(this.life.transport.endpoint);
  }

  #openRegistry(clock: NodeClock): Promise<Registry> {
    const { constants, observer } = this.#components;
    return openRegistry({ storage: this.#disk.records, clock, constants, observer });
  }

  #createDisk(): SimulatedDisk {
    // The disk outlives its process; what time it is, it hears from the machine's present one.
    const clock: Clock = {
      now: () => this.#clock.now(),
      monotonic: () => this.#clock.monotonic(),
      setTimer: (delayMs, callback) => this.#clock.setTimer(delayMs, callback),
    };
    return new SimulatedDisk(clock, this.#components.random.fork(`disk ${this.#disks++}`), this.#diskOptions);
  }
}
