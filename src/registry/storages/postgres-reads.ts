/**
 * Reading over a few connections. Single reads that are asked for in one turn, or while every connection is busy, share a statement; a key
 * asked for twice is read once.
 */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { NautilusError } from '../../core/index.ts';
import { copyBytes } from '../../records/index.ts';
import { fromKeyText } from '../key-text.ts';
import type { StorageEntry } from '../storage.ts';
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

/** Somebody who waits. */
export interface Asking<T> {
  readonly isOver: () => boolean;
  readonly settle: (answer: T) => void;
  readonly fail: (error: unknown) => void;
}

export interface AskingForKey extends Asking<StorageEntry | undefined> {
  readonly keyText: string;
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
  readonly #asking = new Map<string, AskingForKey[]>();
  #askingCount = 0;
  #isGathering = false;
  // BOUNDED: by the sessions.
  readonly #working = new Set<Promise<void>>();

  constructor(components: PostgresReadsComponents) {
    this.#components = components;
    this.#free = components.sessions.toReversed();
  }

  /** All or none. @throws NautilusError `RESOURCE_EXHAUSTED` */
  retrieve(askings: readonly AskingForKey[]): void {
    this.#checkRoom(askings.length);
    for (const asking of askings) {
      const others = this.#asking.get(asking.keyText);
      if (others === undefined) this.#asking.set(asking.keyText, [asking]);
      else others.push(asking);
    }
    this.#askingCount += askings.length;
    this.#gather();
  }

  /** A statement of its own. @throws NautilusError `RESOURCE_EXHAUSTED` */
  run(query: PostgresQuery, asking: Asking<PostgresResult>): void {
    this.#checkRoom(1);
    this.#enqueue(async (session) => {
      if (asking.isOver()) return;
      try {
        asking.settle(await session.run(query, this.#components.timeoutMs));
      } catch (error) {
        asking.fail(error);
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
    const waiting = this.#askingCount + this.#jobs.length;
    if (waiting === 0 || waiting + count <= MAX_WAITING) return;
    throw new NautilusError('RESOURCE_EXHAUSTED', `${waiting} reads already wait for the database: try again later`);
  }

  /** The keys are taken when a connection is free: until then more may join. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    void turnOfEventLoop().then(() => this.#enqueue((session) => this.#retrieve(session)));
  }

  async #retrieve(session: PostgresSession): Promise<void> {
    this.#isGathering = false;
    const asked = this.#take();
    if (this.#asking.size > 0) this.#gather();
    if (asked.size === 0) return;
    const { statements, now, timeoutMs } = this.#components;
    try {
      const keys = Array.from(asked.keys(), fromKeyText);
      const { rows } = await session.run(statements.retrieve(keys, now()), timeoutMs);
      const found = new Map(rows.map((row) => [rowKeyText(row), row]));
      for (const [keyText, askings] of asked) {
        const row = found.get(keyText);
        for (const [index, asking] of askings.entries()) asking.settle(row && toOwnEntry(row, index > 0));
      }
    } catch (error) {
      for (const asking of [...asked.values()].flat()) asking.fail(error);
      throw error;
    }
  }

  /** The first keys that are still wanted, as many as one statement may have. */
  #take(): Map<string, AskingForKey[]> {
    const taken = new Map<string, AskingForKey[]>();
    for (const [keyText, askings] of this.#asking) {
      if (taken.size >= MAX_STATEMENT_KEYS) break;
      this.#asking.delete(keyText);
      this.#askingCount -= askings.length;
      const wanted = askings.filter((asking) => !asking.isOver());
      if (wanted.length > 0) taken.set(keyText, wanted);
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
