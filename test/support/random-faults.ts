/**
 * One seed, one small world, everything that can go wrong in it for a while, what must hold after every event, and what must be true once the
 * faults have stopped. A calm world's nodes come and go, but whoever is up can be heard: there more is promised to its readers.
 */
import { isNautilusError, sleep } from '../../src/core/index.ts';
import { SeededRandom, type SimulatedNode, World } from '../../testnet/simulator/index.ts';
import { UnhandledRejections } from '../../testnet/simulator/unhandled-rejections.ts';
import { Account } from './account.ts';
import { checkRecovered } from './check-recovered.ts';
import { NodeChecks } from './node-checks.ts';
import { drawConditions, type RandomConditions } from './random-conditions.ts';
import { RandomOperations } from './random-operations.ts';
import { ReaderBook } from './reader-book.ts';
import { Tally } from './tally.ts';

const MINUTE = 60_000;
const STEPS = 22;
/** Two rounds in which a node makes sure that a copy is none of its business, and one in which whoever is given it spreads it. */
const RECOVERY_MS = 35 * MINUTE;
/** Nobody was cut off: a round of comparisons. */
const CALM_RECOVERY_MS = 15 * MINUTE;
const REJOIN_MS = 15_000;

export interface RandomFaultsOptions {
  /** Told what is done to the world, for who replays a seed. */
  readonly onStep?: ((text: string) => void) | undefined;
}

/** @returns what the seed met. @throws Error naming what was broken, and how to see it again */
export async function runRandomFaults(seed: string, options: RandomFaultsOptions = {}): Promise<Tally> {
  const random = new SeededRandom(`faults/${seed}`);
  const conditions = drawConditions(seed, random);
  const world = await World.create(conditions.options);
  const run = new FaultyRun(world, conditions, random, options);
  const rejections = new UnhandledRejections();
  try {
    await run.begin();
    for (let step = 0; step < STEPS; step++) await run.step();
    await run.recover();
    await run.checkRecovered();
    await rejections.check();
    return run.tally();
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what}\n${world}\nsee it again: npm run replay ${seed}`, { cause });
  } finally {
    rejections.release();
  }
}

type Fault = readonly [name: string, weight: number, happen: () => Promise<boolean> | boolean];

class FaultyRun {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #conditions: RandomConditions;
  readonly #account: Account;
  readonly #readers: ReaderBook;
  readonly #operations: RandomOperations;
  readonly #nodeChecks: NodeChecks;
  readonly #tally = new Tally();
  readonly #options: RandomFaultsOptions;
  readonly #introducers: SeededRandom;
  /** Numbers of the nodes that have ever run. */
  readonly #joined = new Set<number>();
  readonly #faults: readonly Fault[];

  constructor(world: World, conditions: RandomConditions, random: SeededRandom, options: RandomFaultsOptions) {
    this.#world = world;
    this.#random = random;
    this.#conditions = conditions;
    this.#options = options;
    this.#introducers = random.fork('introducers');
    this.#account = new Account(world);
    this.#readers = new ReaderBook(world, this.#account, conditions.isCalm);
    this.#operations = new RandomOperations({
      world,
      random: random.fork('operations'),
      readers: this.#readers,
      tally: this.#tally,
    });
    this.#nodeChecks = new NodeChecks(world, this.#account, this.#operations.keys);
    this.#faults = conditions.isCalm ? this.#calmFaults() : [...this.#calmFaults(), ...this.#stormyFaults()];
    for (const kind of conditions.kinds) this.#tally.count(kind);
  }

  async begin(): Promise<void> {
    const { nodes } = this.#world;
    for (const node of nodes.slice(0, this.#conditions.atFirst)) {
      await this.#bringUp(node);
      await this.#run(500);
    }
    await this.#run(5_000);
    for (const key of this.#operations.keys) {
      this.#operations.startPut(this.#random.pick(this.#world.running), key, false);
      await this.#run(300);
    }
  }

  async step(): Promise<void> {
    const total = this.#faults.reduce((sum, [, weight]) => sum + weight, 0);
    let draw = this.#random.next() * total;
    const [name, , happen] = this.#faults.find(([, weight]) => {
      draw -= weight;
      return draw < 0;
    })!;
    if (await happen()) {
      this.#tally.count(`fault: ${name}`);
      this.#say(name);
    }
    for (let i = this.#random.integer(4); i > 0; i--) {
      this.#operations.startSomething();
      await this.#run(this.#random.integer(500));
    }
    await this.#run(500 + this.#random.integer(9_000));
  }

  async recover(): Promise<void> {
    const { network, nodes } = this.#world;
    this.#world.heal();
    Object.assign(network.conditions, { lossRate: 0, duplicationRate: 0, limitsOf: undefined });
    for (const node of nodes) {
      this.#setClock(node, 0);
      if (node.isAlive && node.isPaused) this.#resume(node);
    }
    for (const node of nodes) if (!node.isAlive) await this.#bringUp(node);
    this.#say('everything works again');
    await this.#run(this.#conditions.isCalm ? CALM_RECOVERY_MS : RECOVERY_MS);
  }

  async checkRecovered(): Promise<void> {
    await checkRecovered({
      world: this.#world,
      readers: this.#readers,
      operations: this.#operations,
      run: (ms) => this.#run(ms),
    });
  }

  tally(): Tally {
    const { traffic } = this.#world.network;
    for (const [cause, frames] of Object.entries(traffic.dropped)) this.#tally.count(`met: frames ${cause}`, frames);
    this.#tally.count('met: frames doubled', traffic.duplicated);
    for (const event of ['record-expired', 'records-repaired'] as const) {
      this.#tally.count(`met: ${event}`, this.#world.events.get(event) ?? 0);
    }
    this.#tally.count('checked: events', this.#world.clock.eventsFired);
    this.#tally.count('checked: answers of holders', this.#nodeChecks.probes);
    this.#tally.count('checked: acknowledged versions against answers', this.#readers.judged);
    return this.#tally;
  }

  #calmFaults(): Fault[] {
    const random = this.#random;
    const nodesAtOnce = this.#world.nodes.length;
    const { conditions } = this.#world.network;
    return [
      ['a process is killed', 2, () => this.#kill(this.#victim(), false)],
      ['a machine vanishes', 2, () => this.#kill(this.#victim(), true)],
      ['a crash loses what was not flushed', 2, () => this.#crashWhileWriting()],
      ['a node comes back', 5, () => this.#comeBack(random.chance(0.3))],
      ['a node leaves', 1, () => this.#leave()],
      ['a node joins', 2, () => this.#joinMore(1)],
      ['a crowd joins', 1, () => this.#joinMore(nodesAtOnce)],
      ['a node flaps', 1, () => this.#flap()],
      ['a clock is set', 2, () => this.#setClock(random.pick(this.#world.nodes), (random.next() - 0.5) * 10_000)],
      ['frames are doubled', 1, () => this.#set(() => (conditions.duplicationRate = random.pick([0, 0.05])))],
      ['nothing', 2, () => true],
    ];
  }

  #stormyFaults(): Fault[] {
    const random = this.#random;
    const world = this.#world;
    const halves = () => {
      const numbers = world.nodes.map(({ number }) => number);
      const half = random.sample(numbers, 1 + random.integer(numbers.length - 1));
      return [half, numbers.filter((number) => !half.includes(number))] as const;
    };
    return [
      ['a partition', 2, () => this.#set(() => world.partition(halves()))],
      ['a partition one way', 2, () => this.#set(() => world.partitionOneWay(...halves()))],
      ['a bad line', 1, () => this.#set(() => world.lose(...halves(), random.pick([0.1, 0.5])))],
      ['partitions heal', 4, () => this.#set(() => world.heal())],
      ['frames are lost', 2, () => this.#set(() => (world.network.conditions.lossRate = random.pick([0, 0.01, 0.1])))],
      ['a process is stopped', 3, () => this.#pause()],
      ['processes go on', 3, () => this.#resumeAll()],
    ];
  }

  #set(change: () => unknown): boolean {
    change();
    return true;
  }

  /** Somebody who may go: half of them stay. */
  #victim(): SimulatedNode | undefined {
    const { running } = this.#world;
    return running.length > 1 + this.#joined.size / 2 ? this.#random.pick(running) : undefined;
  }

  #kill(node: SimulatedNode | undefined, silent: boolean): boolean {
    if (node === undefined) return false;
    if (node.unflushed > 0) this.#tally.count('met: entries lost that were not flushed', node.unflushed);
    node.kill({ silent });
    this.#say(`node ${node.number} is killed${silent ? ' silently' : ''}`);
    return true;
  }

  /** In the moment in which its disk is at it. */
  async #crashWhileWriting(): Promise<boolean> {
    if (this.#victim() === undefined) return false;
    const key = this.#random.pick(this.#operations.keys);
    this.#operations.startPut(this.#random.pick(this.#world.running), key, false);
    await this.#run(3_000, () => this.#world.running.some(({ unflushed }) => unflushed > 0));
    return this.#kill(
      this.#world.running.find(({ unflushed }) => unflushed > 0),
      this.#random.chance(0.5),
    );
  }

  async #comeBack(isWiped: boolean): Promise<boolean> {
    const { nodes, alive } = this.#world;
    const dead = nodes.filter((node) => !node.isAlive && this.#joined.has(node.number));
    if (dead.length === 0) return false;
    const node = this.#random.pick(dead);
    // A disk is lost only where no put counted on too few: one at a time, while the others are there.
    if (isWiped && alive.length === this.#joined.size - 1) {
      node.wipe();
      this.#account.wiped(node.number);
      this.#tally.count('fault: a disk is lost');
    }
    await this.#bringUp(node);
    return true;
  }

  async #leave(): Promise<boolean> {
    const node = this.#victim();
    if (node === undefined) return false;
    await this.#until(node.stop());
    return true;
  }

  async #joinMore(most: number): Promise<boolean> {
    const newcomers = this.#world.nodes.filter(({ number }) => !this.#joined.has(number)).slice(0, most);
    for (const newcomer of newcomers) await this.#bringUp(newcomer);
    if (newcomers.length > 1) await this.#askForEverything();
    return newcomers.length > 0;
  }

  /** While those who are new among the holders know nothing yet. */
  async #askForEverything(): Promise<void> {
    for (const key of this.#operations.keys) {
      await this.#run(this.#random.integer(500));
      const [reader] = this.#random.sample(this.#world.running, 1);
      if (reader !== undefined) this.#operations.startGet(reader, key, 'newest');
    }
  }

  async #flap(): Promise<boolean> {
    const node = this.#victim();
    for (let times = 0; node !== undefined && times < 4; times++) {
      if (node.isAlive) this.#kill(node, false);
      await this.#run(500 + this.#random.integer(3_000));
      await this.#bringUp(node);
      await this.#run(1_000 + this.#random.integer(6_000));
    }
    return node !== undefined;
  }

  #setClock(node: SimulatedNode, skewMs: number): boolean {
    this.#world.setClock(node.number, skewMs);
    this.#nodeChecks.clockSet(node.number);
    return true;
  }

  #pause(): boolean {
    const node = this.#victim();
    node?.pause();
    return node !== undefined;
  }

  #resumeAll(): boolean {
    const paused = this.#world.alive.filter(({ isPaused }) => isPaused);
    for (const node of paused) this.#resume(node);
    return paused.length > 0;
  }

  #resume(node: SimulatedNode): void {
    node.resume();
    this.#operations.resumed(node);
    this.#nodeChecks.resumed(node.number);
  }

  async #bringUp(node: SimulatedNode): Promise<void> {
    this.#joined.add(node.number);
    await this.#until(node.start().then(() => this.#account.follow(node)));
    this.#say(`node ${node.number} is up`);
    void this.#join(node);
  }

  /** Through anybody who runs, again and again: a network in trouble may not let it in at once. */
  async #join(node: SimulatedNode): Promise<void> {
    const { life } = node;
    const isOver = () => !node.isAlive || node.life !== life;
    while (!isOver()) {
      // Who has not joined itself yet would make an island of two that nobody else hears of.
      const others = this.#world.running.filter((other) => this.#operations.isOpen(other.life));
      try {
        if (others.length > 0) await node.join(this.#introducers.pick(others).self);
        if (others.length > 0 || this.#joined.size === 1) return this.#operations.opens(life);
      } catch (error) {
        if (isOver()) return;
        if (!isNautilusError(error)) throw error;
      }
      await sleep(life.clock, REJOIN_MS);
    }
  }

  async #until(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    work.then(done, done);
    await this.#run(MINUTE, () => isDone);
    if (!isDone) throw new Error('a node takes more than a minute to start or stop');
    await work;
  }

  async #run(ms: number, isEnough: () => boolean = () => false): Promise<void> {
    const { clock } = this.#world;
    await clock.run({
      untilMs: clock.monotonic() + ms,
      stopWhen: () => {
        this.#account.check();
        this.#nodeChecks.check();
        this.#operations.check();
        return isEnough();
      },
    });
  }

  #say(text: string): void {
    this.#options.onStep?.(`${(this.#world.clock.monotonic() / 1_000).toFixed(3)} s: ${text}`);
  }
}
