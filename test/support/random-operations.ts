/**
 * What users of a simulated world do while everything goes wrong: put, put again, delete, renew, get, look up, several publishers on the same
 * keys. Every operation ends within a bounded time, or that is what was found. What came of it goes into the books.
 */
import { isNautilusError, type NautilusError } from '../../src/core/index.ts';
import { NodeId } from '../../src/kademlia/index.ts';
import { hashValue, type Key, parseKey, toHex, toPeerIdText, utf8Encode } from '../../src/records/index.ts';
import type { PutResult } from '../../src/replication/index.ts';
import type { SeededRandom, SimulatedNode, World } from '../../testnet/simulator/index.ts';
import { renewRecord } from '../simulation/renew-record.ts';
import type { ReaderBook } from './reader-book.ts';
import type { Tally } from './tally.ts';

type NodeLife = SimulatedNode['life'];

/** Longest an operation may take, ms of its node's running time: the longest seen in 3,000 seeds took a third. */
const OPERATION_LIMIT_MS = 90_000;
const MINUTE = 60_000;
/** So many nodes and keys are asked and asked for again and again: going back shows only there. */
const OFTEN = 2;

interface Operation {
  readonly what: string;
  readonly node: SimulatedNode;
  readonly life: NodeLife;
  /** World's time, ms. */
  startedAt: number;
}

export interface OperationsComponents {
  readonly world: World;
  readonly random: SeededRandom;
  readonly readers: ReaderBook;
  readonly tally: Tally;
}

/** Failures after which nothing can have reached a holder. */
const NOTHING_SENT: ReadonlySet<string> = new Set(['NO_PEERS', 'NOT_FOUND', 'DEGRADED', 'NOT_OWNER', 'NOT_DELETABLE']);

export class RandomOperations {
  readonly keys: readonly Key[];
  readonly #parts: OperationsComponents;
  // BOUNDED: by what the test starts. By order of start.
  readonly #pending = new Set<Operation>();
  readonly #open = new WeakSet<NodeLife>();
  #broken: unknown;
  #mustSucceed = false;
  #values = 0;
  /** Of those that ended, ms. */
  longestMs = 0;

  constructor(parts: OperationsComponents) {
    this.#parts = parts;
    const { nodes } = parts.world;
    const open = Array.from({ length: 6 }, (_, i) => parseKey(`svc/${i}`));
    const owned = nodes.slice(0, 2).map(({ self }) => parseKey(`@${toPeerIdText(self.publicKey)}/config`));
    const immutable = [1, 2].map((i) => parseKey(`sha256:${toHex(hashValue(utf8Encode(`immutable ${i}`)))}`));
    this.keys = [...open, ...owned, ...immutable];
  }

  /** @throws whatever an operation found, and Error when one does not end. To be called after every event. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
    const now = this.#parts.world.clock.monotonic();
    for (const operation of this.#pending) {
      if (now - operation.startedAt <= OPERATION_LIMIT_MS) return;
      this.#pending.delete(operation);
      const isOver = !operation.node.isAlive || operation.node.life !== operation.life;
      if (isOver) continue; // who was killed ends nothing
      if (!operation.node.isPaused) throw new Error(`a ${operation.what} of node ${operation.node.number} never ended`);
      this.#restartTime(operation);
    }
  }

  /** The time a node stood still does not count. */
  resumed(node: SimulatedNode): void {
    for (const operation of [...this.#pending]) if (operation.node === node) this.#restartTime(operation);
  }

  /** Operations of nodes that still live. */
  get pending(): readonly string[] {
    return [...this.#pending]
      .filter(({ node, life }) => node.isAlive && node.life === life)
      .map(({ what, node }) => `${what} of node ${node.number}`);
  }

  /** A node has joined the network: from now on, in this life, users ask it. */
  opens(life: NodeLife): void {
    this.#open.add(life);
  }

  isOpen(life: NodeLife): boolean {
    return this.#open.has(life);
  }

  /** From now on nothing is in the way. */
  expectSuccess(): void {
    this.#mustSucceed = true;
  }

  /** Something, by somebody. */
  startSomething(): void {
    const { random, tally } = this.#parts;
    const node = this.#somebody();
    if (node === undefined) return;
    const key = random.pick(random.chance(0.4) ? this.keys.slice(0, OFTEN) : this.keys);
    const draw = random.next();
    if (draw < 0.3) this.startPut(this.#writerOf(key) ?? node, key, random.chance(0.4));
    else if (draw < 0.38) this.#startDelete(this.#writerOf(key) ?? node, key);
    else if (draw < 0.46) this.#startRenewal(this.#writerOf(key) ?? node, key);
    else if (draw < 0.9) this.startGet(node, key, random.pick(['newest', 'newest', 'newest', 'all', 'stable']));
    else {
      tally.count('operation: lookup');
      this.#start('lookup', node, async ({ kademlia }) => {
        await kademlia.findClosest(NodeId.fromBytes(hashValue(random.bytes(8))));
      });
    }
  }

  startPut(node: SimulatedNode, key: Key, isShortLived: boolean): void {
    const { random, tally, world } = this.#parts;
    const mayPut = key.owner === undefined || node.self.publicKey.join() === key.owner.join();
    if (!mayPut) return;
    const { maxTtlMs } = world.constants;
    const ttlMs = Math.min(maxTtlMs, isShortLived ? 5_000 + random.integer(2 * MINUTE) : 6 * 60 * MINUTE);
    const value = key.class === 'immutable' ? this.#immutableValue(key) : `value ${++this.#values}`;
    tally.count(`operation: put, ${key.class}${isShortLived ? ', short-lived' : ''}`);
    this.#start('put', node, ({ replication }) =>
      this.#write(node, key, value, ttlMs, () => replication.put({ key, value: utf8Encode(value), ttlMs })),
    );
  }

  startGet(node: SimulatedNode, key: Key, how: 'newest' | 'all' | 'stable'): void {
    const { readers, tally } = this.#parts;
    tally.count(`operation: get, ${how}`);
    this.#start('get', node, async ({ replication }) => {
      const question = readers.ask(node, key);
      try {
        const result = await replication.get({ key, all: how === 'all', stable: how === 'stable' });
        readers.judge(question, result);
        if (result.partial && this.#mustSucceed)
          throw new Error(`a get of "${key.text}" is partial, and nothing is wrong`);
        if (result.partial) tally.count('met: a partial answer');
        if (result.degraded) tally.count('met: a degraded answer');
      } catch (error) {
        if (isNautilusError(error, 'NOT_FOUND')) readers.judgeNotFound(question);
        throw error;
      }
    });
  }

  #startDelete(node: SimulatedNode, key: Key): void {
    const { tally, world } = this.#parts;
    if (key.class === 'immutable') return;
    tally.count('operation: delete');
    this.#start('delete', node, ({ replication }) =>
      this.#write(node, key, undefined, world.constants.maxTtlMs, () => replication.delete({ key })),
    );
  }

  #startRenewal(node: SimulatedNode, key: Key): void {
    const { tally, world, readers } = this.#parts;
    this.#start('renewal', node, async (life) => {
      for await (const { header } of life.replication.publications()) {
        if (header.key.text !== key.text || header.deleted || header.expiresAt <= life.clock.now()) continue;
        tally.count('operation: renewal');
        const renewed = await renewRecord(world, node, header, 5 * MINUTE);
        if (renewed !== undefined) readers.acknowledged(key, header.publisher, renewed, undefined);
      }
    });
  }

  async #write(
    node: SimulatedNode,
    key: Key,
    value: string | undefined,
    ttlMs: number,
    work: () => Promise<PutResult>,
  ): Promise<void> {
    const { readers } = this.#parts;
    const { life } = node;
    const publisher = node.self.publicKey;
    const attempt = readers.begins(key, publisher, value, life.clock.now() + ttlMs);
    const done = ({ seq, expiresAt, receipt }: PutResult, isSaidDone: boolean) => {
      attempt.seq = seq;
      // Whatever a caller is told is done counts as promised, and what fell short of its quorum does not.
      if (isSaidDone || receipt.acked >= receipt.wanted)
        readers.acknowledged(key, publisher, { seq, expiresAt, deleted: value === undefined }, life);
    };
    try {
      done(await work(), true);
    } catch (error) {
      const result = isNautilusError(error) ? receiptOf(error) : undefined;
      if (result !== undefined) done(result, false);
      else if (isNautilusError(error) && (NOTHING_SENT.has(error.code) || error.code === 'CONFLICT')) {
        readers.cameToNothing(key, publisher, attempt);
      }
      throw error;
    }
  }

  /** Under faults an operation may fail, as long as it says so. */
  #start(what: string, node: SimulatedNode, work: (life: NodeLife) => Promise<unknown>): void {
    if (!node.isAlive || node.isPaused || !this.#open.has(node.life)) return;
    const { clock } = this.#parts.world;
    const operation: Operation = { what, node, life: node.life, startedAt: clock.monotonic() };
    const begunAt = operation.startedAt;
    this.#pending.add(operation);
    void (async () => {
      try {
        await work(node.life);
        this.#parts.tally.count(`outcome: ${what} done`);
      } catch (error) {
        const isFailure = isNautilusError(error) && !(this.#mustSucceed && error.code !== 'NOT_FOUND');
        if (isFailure) this.#parts.tally.count(`outcome: ${what} ${error.code}`);
        else this.#broken ??= error;
      } finally {
        this.#pending.delete(operation);
        if (operation.startedAt === begunAt) this.longestMs = Math.max(this.longestMs, clock.monotonic() - begunAt);
      }
    })();
  }

  #restartTime(operation: Operation): void {
    this.#pending.delete(operation);
    operation.startedAt = this.#parts.world.clock.monotonic();
    this.#pending.add(operation);
  }

  #somebody(): SimulatedNode | undefined {
    const { random, world } = this.#parts;
    const { running } = world;
    const readers = random.chance(0.6) ? running.filter(({ number }) => number < OFTEN) : running;
    return readers.length === 0 ? undefined : random.pick(readers);
  }

  /** Each key has two who write it; an owned one its owner. */
  #writerOf(key: Key): SimulatedNode | undefined {
    const { world, random } = this.#parts;
    const index = key.class === 'owned' ? 0 : random.integer(2);
    const first = this.keys.indexOf(key);
    const owner = world.nodes.find(({ self }) => self.publicKey.join() === key.owner?.join());
    const node = owner ?? world.nodes[(first + 3 * index) % world.nodes.length]!;
    return node.isAlive && !node.isPaused ? node : undefined;
  }

  #immutableValue(key: Key): string {
    return `immutable ${this.keys.indexOf(key) - 7}`;
  }
}

function receiptOf(error: NautilusError): PutResult | undefined {
  const { result } = (error.details ?? {}) as { readonly result?: PutResult };
  return result;
}
