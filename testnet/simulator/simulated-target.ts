/**
 * A simulated world as what a scenario happens to. The whole scenario is one operation inside the world (`World.do`), so nothing here moves time;
 * a caller that asked through a node that is then killed or stopped is told so, as whoever waits on a dead process's socket is.
 */
import { assert, type Clock, isNautilusError, sleep } from '../../src/core/index.ts';
import { type Key, parseKey, toPeerIdText, utf8Decode, utf8Encode } from '../../src/records/index.ts';
import {
  failedOutcome,
  type LookupFigures,
  type NodeState,
  type OperationFailure,
  type PurposeTraffic,
  type ReadOutcome,
  type ScenarioLatency,
  type ScenarioTarget,
  type WriteOutcome,
  writtenOutcome,
} from '../scenarios/index.ts';
import { lookUpAtRandom } from './measure-lookups.ts';
import { NearestNodes } from './nearest-nodes.ts';
import { RepairYardstick, type YardstickFigures } from './repair-yardstick.ts';
import { scenarioLatency } from './scenario-latency.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { joinBatchOf, type World } from './world.ts';

/** How long a node that finds nobody waits before it tries the next introducer, ms. */
const JOIN_AGAIN_MS = 5_000;
const LOOKUPS_AT_ONCE = 16;
/** Among how many of a key's nearest running nodes its copies are counted, in multiples of K: farther ones nobody would ask. */
const LOOKED_AT_PER_K = 2;
/** How many of its nearest are remembered, down ones too: with three of four nodes down there are still enough. */
const REMEMBERED_PER_K = 8;

/** The life of a node as its callers see it. */
interface Attendance {
  readonly ended: Promise<{ readonly kind: 'gone' }>;
  readonly end: () => void;
}

export class SimulatedTarget implements ScenarioTarget {
  readonly clock: Clock;
  readonly #world: World;
  readonly #random: SeededRandom;
  /** Nodes that exist as far as the scenario is concerned: the others have not been bought yet. */
  #known = 0;
  // BOUNDED: by the nodes of the world.
  readonly #attendances = new Map<number, Attendance>();
  // BOUNDED: by the nodes of the world.
  readonly #joined = new Set<number>();
  /** Those of them in the order of their numbers; undefined when they have changed since. A crowd that joins at once asks it for each. */
  #introducers: readonly SimulatedNode[] | undefined;
  readonly #nearest: NearestNodes;
  readonly #yardstick: RepairYardstick;
  readonly #onJoined: () => void;

  /**
   * @param world one whose nodes have not joined, with room for all that will
   * @param onJoined called for every node that has started and joined, the first time and again
   */
  constructor(world: World, onJoined: () => void = () => undefined) {
    this.#world = world;
    this.#onJoined = onJoined;
    this.clock = world.clock;
    this.#random = world.random.fork('scenario');
    const servers = world.nodes.filter(({ mode }) => mode === 'server');
    this.#nearest = new NearestNodes(servers, world.constants.k * REMEMBERED_PER_K);
    this.#yardstick = new RepairYardstick(world.clock, this.#nearest, world.constants.k);
    this.#yardstick.start();
  }

  random(): number {
    return this.#random.next();
  }

  states(): ReadonlyMap<number, NodeState> {
    return new Map(this.#world.nodes.slice(0, this.#known).map((node) => [node.number, this.#stateOf(node)]));
  }

  publisherOf(node: number): string {
    return toPeerIdText(this.#world.node(node).self.publicKey);
  }

  async start(count: number): Promise<void> {
    const first = this.#buy(1);
    await Promise.all(first.map((node) => this.#bringUp(node)));
    await this.join(count - 1);
  }

  async join(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const batch = this.#buy(Math.min(left, joinBatchOf(this.#world.running.length)));
      await Promise.all(batch.map((node) => this.#bringUp(node)));
      left -= batch.length;
    }
  }

  async leave(number: number): Promise<void> {
    this.#endAttendance(number);
    await this.#world.node(number).stop();
  }

  kill(number: number, options: { readonly isSilent: boolean }): Promise<void> {
    this.#endAttendance(number);
    this.#world.node(number).kill({ silent: options.isSilent });
    return Promise.resolve();
  }

  pause(number: number): Promise<void> {
    this.#endAttendance(number);
    this.#world.node(number).pause();
    return Promise.resolve();
  }

  resume(number: number): Promise<void> {
    this.#attend(number);
    this.#setJoined(number, true);
    this.#world.node(number).resume();
    return Promise.resolve();
  }

  async restart(number: number, options: { readonly isWiped: boolean }): Promise<void> {
    const node = this.#world.node(number);
    if (options.isWiped) {
      node.wipe();
      this.#yardstick.wiped(number);
    }
    await this.#bringUp(node);
  }

  setLatency(latency: ScenarioLatency): void {
    this.#world.network.conditions.latency = scenarioLatency(latency, this.#world.seed);
  }

  setLoss(share: number): void {
    this.#world.network.conditions.lossRate = share;
  }

  partition(groups: readonly (readonly number[])[]): void {
    this.#world.partition(groups);
  }

  partitionOneWay(from: readonly number[], to: readonly number[]): void {
    this.#world.partitionOneWay(from, to);
  }

  heal(): void {
    this.#world.heal();
  }

  skew(number: number, skewMs: number): void {
    this.#world.setClock(number, skewMs);
  }

  put(
    number: number,
    { key, value, ttlMs }: { readonly key: string; readonly value: string; readonly ttlMs: number },
  ): Promise<WriteOutcome> {
    const parsed = this.#aimAt(key);
    const bytes = utf8Encode(value);
    return this.#ask(number, async ({ replication, self }) => {
      const result = await replication.put({ key: parsed, value: bytes, ttlMs });
      this.#yardstick.wrote({ ...result, key: parsed, value: bytes, publisher: self.publicKey });
      return writtenOutcome(result);
    });
  }

  delete(number: number, key: string): Promise<WriteOutcome> {
    const parsed = this.#aimAt(key);
    return this.#ask(number, async ({ replication }) => {
      const result = await replication.delete({ key: parsed });
      this.#yardstick.deleted(parsed);
      return writtenOutcome(result);
    });
  }

  get(number: number, key: string): Promise<ReadOutcome> {
    return this.#ask(number, async ({ replication }) => {
      const { records, partial, degraded, hops, requests, elapsedMs } = await replication.get({ key: parseKey(key) });
      const [newest] = records;
      assert(newest !== undefined, 'a get that finds nothing fails');
      const { publisher, seq } = newest;
      const value = utf8Decode(newest.value);
      return {
        kind: 'found',
        value,
        publisher,
        seq,
        isPartial: partial,
        isDegraded: degraded,
        hops,
        requests,
        elapsedMs,
      };
    });
  }

  async lookUp(count: number): Promise<readonly LookupFigures[]> {
    const figures: LookupFigures[] = [];
    while (figures.length < count) {
      const batch = Array.from({ length: Math.min(LOOKUPS_AT_ONCE, count - figures.length) });
      figures.push(...(await Promise.all(batch.map(() => lookUpAtRandom(this.#world, this.#random)))));
    }
    return figures;
  }

  /** What others would have spent on what happened so far. */
  measureRepair(): YardstickFigures {
    this.#yardstick.stop();
    return this.#yardstick.figures;
  }

  traffic(): readonly PurposeTraffic[] {
    return this.#world.network.traffic.table();
  }

  async countCopies(keys: readonly string[]): Promise<readonly number[]> {
    const counts: number[] = [];
    for (const key of keys) counts.push(await this.#countCopies(key));
    return counts;
  }

  async #countCopies(key: string): Promise<number> {
    const { id } = parseKey(key);
    const lookedAt = this.#world.constants.k * LOOKED_AT_PER_K;
    let copies = 0;
    let seen = 0;
    for (const node of this.#nearest.of(id)) {
      if (!node.isAlive || node.life.registry === undefined) continue;
      if (seen++ === lookedAt) break;
      const cells = await node.life.registry.read(id);
      if (cells.some(({ value }) => value !== undefined)) copies++;
    }
    return copies;
  }

  /** Lookups of this key are writes: nothing else looks for exactly it. */
  #aimAt(key: string): Key {
    const parsed = parseKey(key);
    this.#world.network.traffic.aim(parsed.id, 'FIND_NODE to write');
    return parsed;
  }

  #stateOf(node: SimulatedNode): NodeState {
    if (!node.isAlive) return 'down';
    if (node.isPaused) return 'paused';
    return this.#joined.has(node.number) ? 'running' : 'starting';
  }

  #buy(count: number): readonly SimulatedNode[] {
    const nodes = this.#world.nodes.slice(this.#known, this.#known + count);
    assert(nodes.length === count, 'the world has room for every node of the scenario');
    this.#known += count;
    return nodes;
  }

  /** Starts it and knocks at one node after the other until it has joined, or is alone, or is stopped again. */
  async #bringUp(node: SimulatedNode): Promise<void> {
    await node.start();
    const { ended } = this.#attend(node.number);
    const { clock } = node.life;
    const join = async () => {
      while (!this.#joined.has(node.number)) {
        try {
          const introducer = this.#introducerOf(node);
          if (introducer !== undefined) await node.join(introducer.self);
          this.#setJoined(node.number, true);
          this.#onJoined();
        } catch (error) {
          if (!isNautilusError(error)) throw error;
          await sleep(clock, JOIN_AGAIN_MS);
        }
      }
    };
    await Promise.race([join(), ended]);
  }

  /** One that has joined: two that have not would make an island. Where there is none, the first of those running is the network. */
  #introducerOf(node: SimulatedNode): SimulatedNode | undefined {
    this.#introducers ??= this.#world.nodes.filter(({ number }) => this.#joined.has(number));
    if (this.#introducers.length > 0) return this.#random.pick(this.#introducers);
    const first = this.#world.running.find((other) => other !== node);
    return first !== undefined && first.number < node.number ? first : undefined;
  }

  #attend(number: number): Attendance {
    let end: () => void = () => undefined;
    const ended = new Promise<{ readonly kind: 'gone' }>((resolve) => {
      end = () => resolve({ kind: 'gone' });
    });
    const attendance = { ended, end };
    this.#attendances.set(number, attendance);
    return attendance;
  }

  #endAttendance(number: number): void {
    this.#attendances.get(number)?.end();
    this.#attendances.delete(number);
    this.#setJoined(number, false);
  }

  #setJoined(number: number, hasJoined: boolean): void {
    if (hasJoined) this.#joined.add(number);
    else this.#joined.delete(number);
    this.#introducers = undefined;
  }

  async #ask<T>(
    number: number,
    operation: (node: SimulatedNode) => Promise<T>,
  ): Promise<T | OperationFailure | { readonly kind: 'gone' }> {
    const attendance = this.#attendances.get(number);
    if (attendance === undefined) return { kind: 'gone' };
    const startedAt = this.clock.monotonic();
    const answer = async () => {
      try {
        return await operation(this.#world.node(number));
      } catch (error) {
        if (!isNautilusError(error)) throw error;
        return failedOutcome(error, this.clock.monotonic() - startedAt);
      }
    };
    return Promise.race([answer(), attendance.ended]);
  }
}
