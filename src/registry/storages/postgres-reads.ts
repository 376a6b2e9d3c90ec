/**
 * Reading over a few connections. Single reads that are asked for in one turn, or while every connection is busy, share a statement; a key
 * asked for twice is read once.
 */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { NautilusError } from '../../core/index.ts';
import { copyBytes } from '../../records/index.ts';
import { fromByteText } from '../byte-text.ts';
import type { StorageEntry } from '../storage.ts';
import type { PostgresCall } from './postgres-call.ts';
import { PostgresSilence } from './postgres-errors.ts';
import type { PostgresQuery, PostgresResult, PostgresSession } from './postgres-session.ts';
import { type PostgresStatements, rowKeyText, toStoredEntry } from './postgres-statements.ts';

export interface PostgresReadsComponents {
  readonly sessions: readonly PostgresSession[];
  readonly statements: PostgresStatements;
  readonly now: () => number;
  /** Of one statement, ms. */
  readonly timeoutMs: number;
}

/** One key that a call asks for. */
export interface PostgresKeyRead {
  readonly keyText: string;
  readonly call: PostgresCall<StorageEntry | undefined>;
  readonly place: number;
}

type Job = (session: PostgresSession) => Promise<void>;

// BOUNDED: keys asked for and statements waiting; a single larger batch is taken when nothing else waits.
const MAX_WAITING = 65_536;
const MAX_STATEMENT_KEYS = 256;

export class PostgresReads {
  readonly #components: PostgresReadsComponents;
  /** The last one used is used next: fewer connections where fewer do. */
  readonly #free: PostgresSession[];
  readonly #jobs: Job[] = [];
  readonly #wanted = new Map<string, PostgresKeyRead[]>();
  #wantedCount = 0;
  #isGathering = false;
  // BOUNDED: by the sessions.
  readonly #working = new Set<Promise<void>>();

  constructor(components: PostgresReadsComponents) {
    this.#components = components;
    this.#free = components.sessions.toReversed();
  }

  /** All or none. @throws NautilusError `RESOURCE_EXHAUSTED` */
  retrieve(reads: readonly PostgresKeyRead[]): void {
    this.#checkRoom(reads.length);
    for (const read of reads) {
      const others = this.#wanted.get(read.keyText);
      if (others === undefined) this.#wanted.set(read.keyText, [read]);
      else others.push(read);
    }
    this.#wantedCount += reads.length;
    this.#gather();
  }

  /** A statement of its own. @throws NautilusError `RESOURCE_EXHAUSTED` */
  run(query: PostgresQuery, call: PostgresCall<PostgresResult>): void {
    this.#checkRoom(1);
    this.#enqueue(async (session) => {
      if (call.isOver) return;
      try {
        call.settle(0, await session.run(query, this.#components.timeoutMs));
      } catch (error) {
        call.fail(error);
        throw error;
      }
    });
  }

  /** Resolves when nothing waits and nothing is at work. */
  async idle(): Promise<void> {
    while (this.#isGathering || this.#working.size > 0) {
      await turnOfEventLoop();
      await Promise.all(this.#working);
    }
  }

  #checkRoom(count: number): void {
    const waiting = this.#wantedCount + this.#jobs.length;
    if (waiting === 0 || waiting + count <= MAX_WAITING) return;
    throw new NautilusError('RESOURCE_EXHAUSTED', `${waiting} reads already wait for the database: try again later`);
  }

  /** The keys are taken when a connection is free: until then more may join. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    queueMicrotask(() => this.#enqueue((session) => this.#retrieve(session)));
  }

  async #retrieve(session: PostgresSession): Promise<void> {
    this.#isGathering = false;
    const reads = this.#take();
    if (this.#wanted.size > 0) this.#gather();
    if (reads.size === 0) return;
    const { statements, now, timeoutMs } = this.#components;
    try {
      const keys = Array.from(reads.keys(), fromByteText);
      const { rows } = await session.run(statements.retrieve(keys, now()), timeoutMs);
      const found = new Map(rows.map((row) => [rowKeyText(row), row]));
      for (const [keyText, readers] of reads) {
        const row = found.get(keyText);
        for (const [index, { call, place }] of readers.entries()) call.settle(place, row && toOwnEntry(row, index > 0));
      }
    } catch (error) {
      for (const { call } of [...reads.values()].flat()) call.fail(error);
      throw error;
    }
  }

  /** The first keys that are still wanted, as many as one statement may have. */
  #take(): Map<string, PostgresKeyRead[]> {
    const taken = new Map<string, PostgresKeyRead[]>();
    for (const [keyText, readers] of this.#wanted) {
      if (taken.size >= MAX_STATEMENT_KEYS) break;
      this.#wanted.delete(keyText);
      this.#wantedCount -= readers.length;
      const waiting = readers.filter(({ call }) => !call.isOver);
      if (waiting.length > 0) taken.set(keyText, waiting);
    }
    return taken;
  }

  #enqueue(job: Job): void {
    this.#jobs.push(job);
    this.#start();
  }

  #start(): void {
    while (this.#jobs.length > 0) {
      const session = this.#free.pop();
      if (session === undefined) return;
      const working = this.#work(session, this.#jobs.shift()!);
      this.#working.add(working);
      void working.then(() => this.#working.delete(working));
    }
  }

  /** Whoever asked is told by the job; here it only matters what the failure says about the connections. */
  async #work(session: PostgresSession, job: Job): Promise<void> {
    try {
      await job(session);
    } catch (error) {
      if (error instanceof PostgresSilence) for (const other of this.#free) other.reset();
    }
    this.#free.push(session);
    this.#start();
  }
}

/** Everybody gets bytes of their own. */
function toOwnEntry(row: readonly unknown[], isCopy: boolean): StorageEntry {
  const { value, version, expiresAt } = toStoredEntry(row);
  return { value: isCopy ? copyBytes(value) : value, version, expiresAt };
}
