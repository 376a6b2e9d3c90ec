/**
 * One connection, made when it is needed and made anew after it broke; one statement at a time. A statement that gets no answer in time costs
 * the connection: whatever comes later would wait behind it. Knows the client package by the few methods it uses.
 */
import { assert, type Clock } from '../../core/index.ts';
import { within } from '../within.ts';
import { isAnswer, PostgresSilence } from './postgres-errors.ts';

export interface PostgresQuery {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Of a statement that the server keeps prepared, once per connection. */
  readonly name?: string;
}

export interface PostgresResult {
  /** A row is an array of its columns: bytea as Buffer, int8 as text. */
  readonly rows: readonly (readonly unknown[])[];
  readonly rowCount: number | null;
}

/** What is used of a client of the package pg. */
export interface PostgresClient {
  connect(): Promise<unknown>;
  query(query: PostgresQuery): Promise<PostgresResult>;
  /** Cuts the connection without a word; what waits for it rejects. */
  destroy(): void;
  /** Says goodbye first. */
  end(): Promise<void>;
  /** Told once, when the connection is over for whatever reason. */
  onLost(listener: () => void): void;
}

export type RunQuery = (query: PostgresQuery) => Promise<PostgresResult>;

export interface PostgresSessionComponents {
  readonly clock: Clock;
  readonly createClient: () => PostgresClient;
  /** Runs once per connection, before its first statement and within that statement's time; what it throws costs the connection. */
  readonly setUp: (run: RunQuery) => Promise<void>;
}

/** A goodbye that takes longer is cut short. */
const GOODBYE_MS = 500;

export class PostgresSession {
  readonly #components: PostgresSessionComponents;
  #client: PostgresClient | undefined;
  #isBusy = false;

  constructor(components: PostgresSessionComponents) {
    this.#components = components;
  }

  /** Whether a statement would find a connection. */
  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /**
   * @param timeoutMs for everything, connecting included
   * @param signal cuts the connection: for opening only, a shared one must not be cut for one caller
   * @throws what the client rejects with, `PostgresSilence`, the signal's reason
   */
  async use<T>(timeoutMs: number, work: (run: RunQuery) => Promise<T>, signal?: AbortSignal): Promise<T> {
    assert(!this.#isBusy, 'a session does one thing at a time');
    this.#isBusy = true;
    const client = this.#client ?? this.#components.createClient();
    const isNew = this.#client === undefined;
    const run: RunQuery = (query) => client.query(query);
    const working = async () => {
      if (isNew) await this.#connect(client, run);
      return work(run);
    };
    try {
      return await this.#inTime(timeoutMs, working(), signal);
    } catch (error) {
      if (isNew || !isAnswer(error)) this.#drop(client);
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  run(query: PostgresQuery, timeoutMs: number): Promise<PostgresResult> {
    return this.use(timeoutMs, (run) => run(query));
  }

  /** Cuts an idle connection that is likely to be dead: the next statement makes a new one. */
  reset(): void {
    if (!this.#isBusy && this.#client !== undefined) this.#drop(this.#client);
  }

  /** Once nothing is at work. */
  async close(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    try {
      await this.#inTime(GOODBYE_MS, client.end());
    } catch {
      // Whoever does not take a goodbye is left without one.
      client.destroy();
    }
  }

  async #connect(client: PostgresClient, run: RunQuery): Promise<void> {
    client.onLost(() => {
      if (this.#client === client) this.#client = undefined;
    });
    await client.connect();
    await this.#components.setUp(run);
    this.#client = client;
  }

  #inTime<T>(timeoutMs: number, work: Promise<T>, signal?: AbortSignal): Promise<T> {
    const late = () => new PostgresSilence(`no answer within ${timeoutMs} ms`);
    return within(work, { clock: this.#components.clock, timeoutMs, signal, late });
  }

  #drop(client: PostgresClient): void {
    if (this.#client === client) this.#client = undefined;
    client.destroy();
  }
}
