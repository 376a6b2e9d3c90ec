/**
 * Group commit over one connection: the writes of a turn, and those that arrive while a statement is at work, go out in one statement per
 * kind. Writes of one key are done one after the other, in the order they came: no statement names a key twice, which PostgreSQL refuses.
 */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { NautilusError } from '../../core/index.ts';
import { copyBytes } from '../../records/index.ts';
import type { StorageEntry, StoreIfOperation, StoreIfOutcome } from '../storage.ts';
import type { PostgresCall } from './postgres-call.ts';
import type { PostgresQuery, PostgresResult } from './postgres-session.ts';
import { type PostgresStatements, rowKeyText, toMismatch } from './postgres-statements.ts';

interface WriteOf<Kind extends string, Operation extends { readonly key: Uint8Array }, Outcome> {
  readonly kind: Kind;
  readonly operation: Operation;
  /** Of its key: the bytes are the caller's again once the call is over. */
  readonly keyText: string;
  /** Of key and value. */
  readonly bytes: number;
  /** Whose it is, and which part of it. */
  readonly call: PostgresCall<Outcome>;
  readonly place: number;
}

type StoreIfWrite = WriteOf<'storeIf', StoreIfOperation, StoreIfOutcome>;
type StoreWrite = WriteOf<'store', { readonly key: Uint8Array; readonly entry: StorageEntry }, 'stored'>;
type RemoveWrite = WriteOf<'remove', { readonly key: Uint8Array }, boolean>;
export type PostgresWrite = StoreIfWrite | StoreWrite | RemoveWrite;

export interface PostgresWritesComponents {
  readonly statements: PostgresStatements;
  /** Over the one connection that may write; settles within a bounded time. */
  readonly run: (query: PostgresQuery) => Promise<PostgresResult>;
  readonly now: () => number;
}

// BOUNDED: operations and bytes waiting; a single larger batch is taken when nothing else waits.
const MAX_WAITING_OPERATIONS = 65_536;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Of one statement: keeps its latency, and what is lost when it fails, small. */
const MAX_STATEMENT_OPERATIONS = 512;
const MAX_STATEMENT_BYTES = 4 * 1024 * 1024;

const STORED: StoreIfOutcome = { kind: 'stored' };

export class PostgresWrites {
  readonly #components: PostgresWritesComponents;
  // BOUNDED: what is ready and what is behind it, together.
  readonly #ready = {
    storeIf: [] as StoreIfWrite[],
    store: [] as StoreWrite[],
    remove: [] as RemoveWrite[],
  };
  /** Of every key that is ready or at work: the writes behind it, a list once there are some. */
  readonly #behind = new Map<string, PostgresWrite[] | undefined>();
  #count = 0;
  #bytes = 0;
  #working: Promise<void> | undefined;

  constructor(components: PostgresWritesComponents) {
    this.#components = components;
  }

  /** All or none. @throws NautilusError `RESOURCE_EXHAUSTED` */
  add(writes: readonly PostgresWrite[]): void {
    const bytes = writes.reduce((sum, write) => sum + write.bytes, 0);
    const isOver = this.#count + writes.length > MAX_WAITING_OPERATIONS || this.#bytes + bytes > MAX_WAITING_BYTES;
    if (isOver && this.#count > 0) {
      throw new NautilusError(
        'RESOURCE_EXHAUSTED',
        `${this.#count} writes already wait for the database: try again later`,
      );
    }
    this.#count += writes.length;
    this.#bytes += bytes;
    for (const write of writes) {
      const behind = this.#behind.get(write.keyText);
      if (behind !== undefined) {
        behind.push(write);
      } else if (this.#behind.has(write.keyText)) {
        this.#behind.set(write.keyText, [write]);
      } else {
        this.#behind.set(write.keyText, undefined);
        this.#makeReady(write);
      }
    }
    this.#working ??= this.#work();
  }

  /** Resolves when nothing waits and nothing is at work. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // The writes of this turn share a statement.
    await null;
    while (this.#count > 0) {
      await this.#write(this.#take(this.#ready.storeIf), (writes) => this.#storeIf(writes));
      await this.#write(this.#take(this.#ready.store), (writes) => this.#store(writes));
      await this.#write(this.#take(this.#ready.remove), (writes) => this.#remove(writes));
      // Those who just got an answer have their turn: what they ask for next shares a statement with what waits already.
      await turnOfEventLoop();
    }
    this.#working = undefined;
  }

  /** @param execute ends each; what it throws fails all */
  async #write<Write extends PostgresWrite>(
    writes: readonly Write[],
    execute: (writes: readonly Write[]) => Promise<void>,
  ) {
    if (writes.length === 0) return;
    try {
      await execute(writes);
    } catch (error) {
      for (const write of writes) {
        write.call.fail(error);
        this.#end(write);
      }
    }
  }

  async #storeIf(writes: readonly StoreIfWrite[]): Promise<void> {
    const { statements, run, now } = this.#components;
    const operations = writes.map(({ operation }) => operation);
    const { rows } = await run(statements.storeIf(operations, now()));
    const refused = new Map(rows.map(toMismatch).map(({ place, current }) => [place, { entry: current }]));
    for (const [place, write] of writes.entries()) {
      const found = refused.get(place);
      if (found === undefined) {
        write.call.settle(write.place, STORED);
        this.#end(write, write.operation);
      } else if (isRefused(write, found.entry)) {
        write.call.settle(write.place, { kind: 'mismatch', current: found.entry });
        this.#end(write, found);
      } else {
        // Somebody changed it while the statement ran: refused for what is there now, shown what was there before. Ask again.
        this.#makeReady(write);
      }
    }
  }

  async #store(writes: readonly StoreWrite[]): Promise<void> {
    const { statements, run } = this.#components;
    await run(statements.store(writes.map(({ operation }) => operation)));
    for (const write of writes) {
      write.call.settle(write.place, 'stored');
      this.#end(write, write.operation);
    }
  }

  async #remove(writes: readonly RemoveWrite[]): Promise<void> {
    const { statements, run, now } = this.#components;
    const keys = writes.map(({ operation }) => operation.key);
    const { rows } = await run(statements.remove(keys, now()));
    const removed = new Set(rows.map(rowKeyText));
    for (const write of writes) {
      write.call.settle(write.place, removed.has(write.keyText));
      this.#end(write, { entry: undefined });
    }
  }

  /** The first that are ready and still wanted, as many as one statement may have. */
  #take<Write extends PostgresWrite>(ready: Write[]): readonly Write[] {
    const taken: Write[] = [];
    let bytes = 0;
    let length = 0;
    for (const write of ready) {
      bytes += write.bytes;
      const isFull = taken.length >= MAX_STATEMENT_OPERATIONS || bytes > MAX_STATEMENT_BYTES;
      if (isFull && taken.length > 0) break;
      length++;
      if (write.call.isOver) this.#end(write);
      else taken.push(write);
    }
    ready.splice(0, length);
    return taken;
  }

  #makeReady(write: PostgresWrite): void {
    switch (write.kind) {
      case 'storeIf':
        this.#ready.storeIf.push(write);
        break;
      case 'store':
        this.#ready.store.push(write);
        break;
      case 'remove':
        this.#ready.remove.push(write);
        break;
    }
  }

  /**
   * Lets the next write of its key go ahead.
   * @param left what the write left or found there, if that is known: those behind it who expect something else are told so at once, so that
   * many who fight for one key cost few statements
   */
  #end(write: PostgresWrite, left?: { readonly entry: StorageEntry | undefined }): void {
    this.#release(write);
    const behind = this.#behind.get(write.keyText);
    const now = this.#components.now();
    const current = left?.entry !== undefined && left.entry.expiresAt > now ? left.entry : undefined;
    for (let next = behind?.shift(); next !== undefined; next = behind?.shift()) {
      if (left === undefined || next.kind !== 'storeIf' || !isRefused(next, current)) {
        this.#makeReady(next);
        return;
      }
      next.call.settle(next.place, { kind: 'mismatch', current: current && copyEntry(current) });
      this.#release(next);
    }
    this.#behind.delete(write.keyText);
  }

  #release(write: PostgresWrite): void {
    this.#count--;
    this.#bytes -= write.bytes;
  }
}

function copyEntry({ value, version, expiresAt }: StorageEntry): StorageEntry {
  return { value: copyBytes(value), version, expiresAt };
}

function isRefused({ operation }: StoreIfWrite, current: StorageEntry | undefined): boolean {
  return (current?.version ?? 'absent') !== operation.expected;
}
