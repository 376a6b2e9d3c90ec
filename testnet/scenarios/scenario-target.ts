/**
 * What a network must offer for a scenario to happen to it: the simulator's virtual one and a testnet of processes do. Every operation resolves
 * when it is done; outcomes of puts and gets are returned, only a failure of the network itself (a bug, a process that cannot start) rejects.
 */
import type { Clock, ErrorCode } from '../../src/core/index.ts';
import type { ScenarioLatency } from './scenario-command.ts';

/** `starting`: it runs, but has not joined yet; nobody asks it anything. */
export type NodeState = 'starting' | 'running' | 'paused' | 'down';

export interface OperationFailure {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
  /** Seq of the record that may have been written in spite of the failure. */
  readonly seq: number | undefined;
  readonly elapsedMs: number;
}

/** The node it went through was killed, stopped or left before it answered: there is nobody who could say what came of it. */
export interface CallerGone {
  readonly kind: 'gone';
}

export interface Written {
  readonly kind: 'written';
  readonly publisher: string;
  readonly seq: number;
  /** ms since the epoch */
  readonly expiresAt: number;
  /** Acks that make it finished, and the holders there could be. */
  readonly wanted: number;
  readonly holders: number;
  readonly isDegraded: boolean;
  readonly requests: number;
  readonly elapsedMs: number;
}

export interface Found {
  readonly kind: 'found';
  readonly value: string;
  readonly publisher: string;
  readonly seq: number;
  readonly isPartial: boolean;
  readonly isDegraded: boolean;
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
}

export type WriteOutcome = Written | OperationFailure | CallerGone;
export type ReadOutcome = Found | OperationFailure | CallerGone;

/** A random lookup held against an oracle that knows every node. */
export interface LookupFigures {
  /** Share of the true closest that were found, 0 … 1. */
  readonly overlap: number;
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
}

export interface PurposeTraffic {
  readonly purpose: string;
  readonly frames: number;
  readonly bytes: number;
}

export interface ScenarioTarget {
  /** The scenario's time: virtual, or the machine's. */
  readonly clock: Clock;
  /** Uniform in [0, 1); all chance of the scenario comes from here. */
  random(): number;
  /** Number of every node there is, down ones too, and what it is doing. */
  states(): ReadonlyMap<number, NodeState>;
  /** What the nodes publish as: who wrote a record, by node. */
  publisherOf(node: number): string;

  /** Brings up the network: `count` nodes that have joined one another. */
  start(count: number): Promise<void>;
  /** New nodes, all at once. */
  join(count: number): Promise<void>;
  /** Graceful. */
  leave(node: number): Promise<void>;
  /** `isSilent`: the machine is gone too, so its connections do not even break. */
  kill(node: number, options: { readonly isSilent: boolean }): Promise<void>;
  pause(node: number): Promise<void>;
  resume(node: number): Promise<void>;
  /** A node that is down comes back and joins again. `isWiped`: on an empty disk. */
  restart(node: number, options: { readonly isWiped: boolean }): Promise<void>;

  setLatency(latency: ScenarioLatency): void;
  /** Share of frames that vanish. */
  setLoss(share: number): void;
  /** Only nodes of one group hear each other. */
  partition(groups: readonly (readonly number[])[]): void;
  /** What `from` sends never reaches `to`; the other direction works. */
  partitionOneWay(from: readonly number[], to: readonly number[]): void;
  heal(): void;
  /** Sets the wall clock of a running node that far ahead. */
  skew(node: number, skewMs: number): void;

  put(
    node: number,
    record: { readonly key: string; readonly value: string; readonly ttlMs: number },
  ): Promise<WriteOutcome>;
  get(node: number, key: string): Promise<ReadOutcome>;
  delete(node: number, key: string): Promise<WriteOutcome>;

  /** Undefined where nobody knows every node. */
  readonly lookUp?: ((count: number) => Promise<readonly LookupFigures[]>) | undefined;
  /** Bytes and frames sent so far by purpose; undefined where nobody counts them. */
  readonly traffic?: (() => readonly PurposeTraffic[]) | undefined;
  /** How many running nodes hold each of these keys; undefined where nobody can see that. */
  readonly countCopies?: ((keys: readonly string[]) => Promise<readonly number[]>) | undefined;
}
