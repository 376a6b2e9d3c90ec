/** One seed, one small world, everything that can go wrong in it for a while, and what must hold during and after. */
import { isNautilusError } from '../../src/core/index.ts';
import { type Key, parseKey, utf8Encode } from '../../src/records/index.ts';
import { logNormalLatency, SeededRandom, type SimulatedNode, World } from '../../testnet/simulator/index.ts';

type NodeLife = SimulatedNode['life'];

import { Account } from './account.ts';
import { missingCopies } from './healing.ts';

const KEYS = 12;
const TTL_MS = 6 * 3_600_000;
const STEPS = 30;
/** Two refresh periods, and time to repair. */
const RECOVERY_MS = 25 * 60_000;

/** @throws Error naming what was broken; the world's message names the seed */
export async function runRandomFaults(seed: string): Promise<void> {
  const random = new SeededRandom(`faults/${seed}`);
  const nodes = 4 + random.integer(14);
  const world = await World.create({
    seed,
    nodes,
    constants: { k: random.pick([3, 5, 20]) },
    conditions: { latency: logNormalLatency(5 + random.integer(60), 0.4) },
    clockErrorOf: (_, own) => ({ skewMs: (own.next() - 0.5) * 4_000, driftPpm: (own.next() - 0.5) * 200 }),
    disk: { flushMs: 1 + random.integer(10) },
  });
  const run = new FaultyRun(world, random);
  try {
    await run.begin();
    for (let step = 0; step < STEPS; step++) await run.step();
    await run.recover();
    await run.checkRecovered();
  } catch (cause) {
    throw new Error(`${String(world)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

class FaultyRun {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #account: Account;
  readonly #keys: readonly Key[] = Array.from({ length: KEYS }, (_, i) => parseKey(`svc/${i}`));
  /** Operations under way, by the life of the node that carries them out: who is killed ends nothing. */
  readonly #pending = new Set<{ readonly life: NodeLife }>();
  /** Deletes that began after the last acknowledged write: unacknowledged, they may have happened all the same. */
  readonly #maybeDeleted = new Set<string>();
  #written = 0;

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
    this.#account = new Account(world);
  }

  async begin(): Promise<void> {
    for (const node of this.#world.nodes) await this.#account.follow(node);
    for (const [i] of this.#keys.entries()) await this.#world.do(() => this.#write(i));
  }

  async step(): Promise<void> {
    const random = this.#random;
    const { nodes, network } = this.#world;
    const node = random.pick(nodes);
    const numbers = nodes.map(({ number }) => number);
    const half = random.sample(numbers, nodes.length >> 1);
    const rest = numbers.filter((number) => !half.includes(number));
    switch (random.integer(13)) {
      case 0:
      case 1:
        if (node.isAlive && this.#world.running.length > 1 + nodes.length / 2)
          node.kill({ silent: random.chance(0.5) });
        break;
      case 2:
      case 3:
        await this.#restart(nodes.find(({ isAlive }) => !isAlive));
        break;
      case 4:
        if (node.isAlive && !node.isPaused && this.#world.running.length > 2) node.pause();
        break;
      case 5:
        for (const other of nodes) if (other.isAlive && other.isPaused) other.resume();
        break;
      case 6:
        this.#world.partition([half, rest]);
        break;
      case 7:
        this.#world.partitionOneWay(half, rest);
        break;
      case 8:
        this.#world.heal();
        break;
      case 9:
        network.conditions.lossRate = random.pick([0, 0.01, 0.1]);
        network.conditions.duplicationRate = random.pick([0, 0.05]);
        break;
      case 10:
        this.#world.setClock(node.number, (random.next() - 0.5) * 10_000);
        break;
      default:
        this.#startBoth(random.integer(KEYS), random.pick(nodes));
    }
    await this.#run(1_000 + random.integer(15_000));
  }

  #startBoth(index: number, reader: SimulatedNode): void {
    this.#start(this.#writerOf(index), () => this.#write(index));
    this.#start(reader, () => this.#seqOf(reader, this.#keys[index]!));
  }

  async recover(): Promise<void> {
    const { network, nodes } = this.#world;
    this.#world.heal();
    network.conditions.lossRate = 0;
    network.conditions.duplicationRate = 0;
    for (const node of nodes) {
      this.#world.setClock(node.number, 0);
      if (node.isPaused) node.resume();
    }
    for (const node of nodes) await this.#restart(node.isAlive ? undefined : node);
    await this.#run(RECOVERY_MS);
  }

  /** Liveness: everything acknowledged is read right everywhere, all copies are there, everybody is settled, nothing is left waiting. */
  async checkRecovered(): Promise<void> {
    const world = this.#world;
    const hanging = [...this.#pending].filter(({ life }) => world.nodes.some((node) => node.life === life));
    if (hanging.length > 0) throw new Error(`${hanging.length} operations never ended`);
    for (const [reason, count] of world.misbehaviour) throw new Error(`${count} frames broke the protocol: ${reason}`);
    const unsettled = world.nodes.filter(({ replication }) => !replication.isSettled).map(({ number }) => number);
    if (unsettled.length > 0) throw new Error(`not settled: ${unsettled.join(' ')}`);
    const live: Key[] = [];
    for (const { key, deleted, seq } of this.#account.owed) {
      const found = await world.do(() => this.#seqOf(this.#random.pick(world.nodes), key));
      const isGone = found === 0 && (deleted || this.#maybeDeleted.has(key.text));
      if (!isGone && found < seq) throw new Error(`"${key.text}" is ${found}, was ${seq}`);
      if (!deleted && found === seq) live.push(key);
    }
    const missing = await missingCopies(world, live);
    if (missing.length > 0) throw new Error(`copies are missing: ${missing.join(', ')}`);
  }

  async #restart(node: SimulatedNode | undefined): Promise<void> {
    if (node === undefined) return;
    // A disk is lost only where no put counted on too few: one at a time, while the others have it.
    if (this.#random.chance(0.2) && this.#world.alive.length === this.#world.nodes.length - 1) {
      node.wipe();
      this.#account.wiped(node.number);
    }
    try {
      await this.#world.restart(node.number);
    } catch (error) {
      if (!isNautilusError(error)) throw error; // nobody to join through: its saved table will do
    }
    await this.#account.follow(node);
  }

  /** Each key has one writer, so that one version is the newest. */
  async #write(index: number): Promise<void> {
    const key = this.#keys[index]!;
    const writer = this.#writerOf(index);
    const count = this.#written++;
    const deletes = this.#random.chance(0.15) && count > KEYS;
    const value = utf8Encode(`value ${count}`);
    if (deletes) this.#maybeDeleted.add(key.text);
    const { seq } = deletes
      ? await writer.replication.delete({ key })
      : await writer.replication.put({ key, value, ttlMs: TTL_MS });
    await this.#account.acknowledged(key, { seq, deleted: deletes });
    if (!deletes) this.#maybeDeleted.delete(key.text);
  }

  #writerOf(index: number): SimulatedNode {
    return this.#world.nodes[index % this.#world.nodes.length]!;
  }

  /** 0 when nothing live is there. */
  async #seqOf(node: SimulatedNode, key: Key): Promise<number> {
    try {
      return (await node.replication.get({ key })).records[0]!.seq;
    } catch (error) {
      if (isNautilusError(error, 'NOT_FOUND')) return 0;
      throw error;
    }
  }

  /** Under faults an operation may fail, as long as it says so. */
  #start(node: SimulatedNode, work: () => Promise<unknown>): void {
    if (!node.isAlive || node.isPaused) return;
    const operation = { life: node.life };
    this.#pending.add(operation);
    void (async () => {
      try {
        await work();
      } catch (error) {
        if (!isNautilusError(error)) throw error;
      } finally {
        this.#pending.delete(operation);
      }
    })();
  }

  async #run(ms: number): Promise<void> {
    const { clock } = this.#world;
    await clock.run({
      untilMs: clock.monotonic() + ms,
      stopWhen: () => {
        this.#account.check();
        return false;
      },
    });
  }
}
