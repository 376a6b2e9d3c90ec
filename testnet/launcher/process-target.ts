/**
 * A testnet of real processes as what a scenario happens to. Every node is a process with a data directory of its own, asked through its control
 * socket; latency, loss and partitions are made in the nodes (faulty-transport.ts). `kill … silent` stops a process for good (SIGSTOP): like a
 * machine without power it answers nobody and breaks no connection. It is killed when it comes back, or in the end.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ControlClient } from '../../src/client/index.ts';
import { assert, type Clock, isNautilusError, NautilusError } from '../../src/core/index.ts';
import { compareDistance, NodeId } from '../../src/kademlia/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, parseKey, parsePeerIdText, toHex } from '../../src/records/index.ts';
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
import { SeededRandom } from '../simulator/index.ts';
import { FAIR_CONDITIONS, type NodeConditions } from './node-conditions.ts';
import { type Gone, ScenarioMember } from './scenario-member.ts';
import type { LookupAim } from './scenario-messages.ts';
import { sumTraffic } from './sum-traffic.ts';

export interface ProcessTargetInit {
  /** Empty; what the nodes keep goes there: `node-N/`, `node-N.log`. */
  readonly directory: string;
  readonly network: string;
  /** All chance of the scenario follows from it; what the machine does with time does not. */
  readonly seed: string;
  /** Called for every node that has started and joined, the first time and again. */
  readonly onJoined?: (() => void) | undefined;
}

/** A start is about a second of CPU and little else: one per core, and one more to fill the gaps. */
const STARTING_AT_ONCE = availableParallelism() + 1;
/** Whom a node is told to join through: enough that one of them is still there. */
const INTRODUCERS = 3;
const LOOKUPS_AT_ONCE = 16;

export class ProcessTarget implements ScenarioTarget {
  readonly clock: Clock = systemClock;
  readonly #init: ProcessTargetInit;
  readonly #random: SeededRandom;
  /** For what a scenario knows nothing of, so that its own chance is the same whatever the processes do. */
  readonly #ownRandom: SeededRandom;
  readonly #failure = new AbortController();
  // BOUNDED: by the nodes of the scenario. By number.
  readonly #members: ScenarioMember[] = [];
  // BOUNDED: by the keys and lookups of the scenario. By target.
  readonly #aims = new Map<string, LookupAim>();
  #conditions: NodeConditions = FAIR_CONDITIONS;
  #isClosed = false;

  constructor(init: ProcessTargetInit) {
    this.#init = init;
    this.#random = new SeededRandom(init.seed).fork('scenario');
    this.#ownRandom = new SeededRandom(init.seed).fork('processes');
  }

  /** Aborts when a process ended that nobody had ended. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  random(): number {
    return this.#random.next();
  }

  states(): ReadonlyMap<number, NodeState> {
    return new Map(this.#members.map(({ number, state }) => [number, state]));
  }

  publisherOf(node: number): string {
    return this.#member(node).peerId;
  }

  async start(count: number): Promise<void> {
    await this.join(1);
    await this.join(count - 1);
  }

  async join(count: number): Promise<void> {
    const { directory } = this.#init;
    const members: ScenarioMember[] = [];
    for (let i = 0; i < count; i++) {
      const number = this.#members.length;
      const member = await ScenarioMember.create(number, join(directory, `node-${number}`), (error) =>
        this.#failure.abort(error),
      );
      this.#members.push(member);
      members.push(member);
    }
    this.#change({ peerIds: this.#members.map(({ peerId }) => peerId) });
    const left = members.values();
    const bringUpNext = async () => {
      for (const member of left) await this.#bringUp(member);
    };
    await Promise.all(Array.from({ length: STARTING_AT_ONCE }, bringUpNext));
  }

  leave(node: number): Promise<void> {
    return this.#member(node).leave();
  }

  kill(node: number, options: { readonly isSilent: boolean }): Promise<void> {
    return this.#member(node).kill(options.isSilent);
  }

  async pause(node: number): Promise<void> {
    this.#member(node).pause();
  }

  resume(node: number): Promise<void> {
    return this.#member(node).resume();
  }

  async restart(node: number, options: { readonly isWiped: boolean }): Promise<void> {
    const member = this.#member(node);
    if (options.isWiped) await member.wipe();
    await this.#bringUp(member);
  }

  setLatency(latency: ScenarioLatency): void {
    this.#change({ latency });
  }

  setLoss(share: number): void {
    this.#change({ lossShare: share });
  }

  partition(groups: readonly (readonly number[])[]): void {
    this.#change({ groups });
  }

  partitionOneWay(from: readonly number[], to: readonly number[]): void {
    this.#change({ oneWay: [...this.#conditions.oneWay, { from, to }] });
  }

  heal(): void {
    this.#change({ groups: undefined, oneWay: [] });
  }

  skew(node: number, skewMs: number): void {
    this.#member(node).setClock(skewMs);
  }

  put(
    node: number,
    { key, value, ttlMs }: { readonly key: string; readonly value: string; readonly ttlMs: number },
  ): Promise<WriteOutcome> {
    this.#aim(parseKey(key).id, 'FIND_NODE to write');
    return this.#ask(node, async (client) =>
      writtenOutcome(await client.call('put', { key, value, ttl: `${ttlMs}ms` })),
    );
  }

  delete(node: number, key: string): Promise<WriteOutcome> {
    this.#aim(parseKey(key).id, 'FIND_NODE to write');
    return this.#ask(node, async (client) => writtenOutcome(await client.call('delete', { key })));
  }

  get(node: number, key: string): Promise<ReadOutcome> {
    return this.#ask(node, async (client) => {
      const output = await client.call('get', { key });
      const { value, publisher, seq, partial: isPartial, degraded: isDegraded, hops, requests, elapsedMs } = output;
      return { kind: 'found', value, publisher, seq, isPartial, isDegraded, hops, requests, elapsedMs };
    });
  }

  async lookUp(count: number): Promise<readonly LookupFigures[]> {
    const figures: LookupFigures[] = [];
    while (figures.length < count) {
      const batch = Array.from({ length: Math.min(LOOKUPS_AT_ONCE, count - figures.length) });
      const found = await Promise.all(batch.map(() => this.#lookUpAtRandom()));
      figures.push(...found.filter((lookup) => lookup !== undefined));
      if (found.every((lookup) => lookup === undefined)) throw new NautilusError('USAGE', 'no node is running');
    }
    return figures;
  }

  traffic(): readonly PurposeTraffic[] {
    return sumTraffic(this.#members.flatMap(({ traffic }) => traffic));
  }

  async countCopies(keys: readonly string[]): Promise<readonly number[]> {
    const held = await Promise.all(this.#running().map((member) => member.ask(heldKeys)));
    const sets = held.filter((keys) => keys instanceof Set);
    return keys.map((key) => sets.filter((set) => set.has(key)).length);
  }

  /** Ends every process at once. Safe at any moment. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#members.map((member) => member.close()));
  }

  #change(conditions: Partial<NodeConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions };
    for (const member of this.#members) member.setConditions(this.#conditions);
  }

  /** Told before the first lookup; a frame or two may still be quicker. */
  #aim(bytes: Uint8Array, purpose: LookupAim['purpose']): void {
    const target = toHex(bytes);
    if (this.#aims.has(target)) return;
    const aim = { target, purpose };
    this.#aims.set(target, aim);
    for (const member of this.#members) member.aim(aim);
  }

  async #bringUp(member: ScenarioMember): Promise<void> {
    if (this.#isClosed) throw new NautilusError('ABORTED', 'the scenario has ended');
    const { network, seed, onJoined } = this.#init;
    const bootstrap = this.#introducersOf(member);
    await member.start({ network, seed, bootstrap, conditions: this.#conditions, aims: [...this.#aims.values()] });
    onJoined?.();
  }

  /** Some that have joined; where there is none, the first of those that run is the network. */
  #introducersOf(member: ScenarioMember): readonly string[] {
    const others = this.#members.filter((other) => other !== member && other.state !== 'down');
    const joined = others.filter(({ state }) => state === 'running');
    const [first] = others;
    const chosen =
      joined.length > 0
        ? this.#ownRandom.sample(joined, INTRODUCERS)
        : others.filter((other) => other === first && other.number < member.number);
    return chosen.flatMap(({ address }) => address ?? []);
  }

  async #lookUpAtRandom(): Promise<LookupFigures | undefined> {
    const bytes = this.#random.bytes(32);
    const target = NodeId.fromBytes(bytes);
    this.#aim(bytes, 'FIND_NODE to measure');
    const asked = this.#running();
    if (asked.length === 0) return undefined;
    const outcome = await this.#random.pick(asked).ask((client) => client.call('lookup', { target: toHex(bytes) }));
    if ('kind' in outcome) return undefined;
    const truth = this.#running()
      .map(({ peerId }) => NodeId.fromPublicKey(parsePeerIdText(peerId)))
      .sort((a, b) => compareDistance(target, a, b))
      .slice(0, DEFAULT_NETWORK_CONSTANTS.k);
    const found = new Set(outcome.closest.map(({ nodeId }) => nodeId));
    const hits = truth.filter(({ hex }) => found.has(hex)).length;
    const { hops, requests, elapsedMs } = outcome;
    return { overlap: truth.length === 0 ? 1 : hits / truth.length, hops, requests, elapsedMs };
  }

  #running(): readonly ScenarioMember[] {
    return this.#members.filter(({ state }) => state === 'running');
  }

  #member(number: number): ScenarioMember {
    const member = this.#members[number];
    assert(member !== undefined, `there is no node ${number}`);
    return member;
  }

  async #ask<T>(node: number, operation: (client: ControlClient) => Promise<T>): Promise<T | OperationFailure | Gone> {
    const startedAt = this.clock.monotonic();
    try {
      return await this.#member(node).ask(operation);
    } catch (error) {
      if (!isNautilusError(error)) throw error;
      return failedOutcome(error, this.clock.monotonic() - startedAt);
    }
  }
}

async function heldKeys(client: ControlClient): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { key } of client.stream('list', {})) keys.add(key);
  return keys;
}
