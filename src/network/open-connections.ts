/**
 * The libp2p connections and how many of our streams each carries. One that carries none for a while is closed: nobody else uses them, and libp2p
 * would keep them for ever. Not here: which of the used ones must go (libp2p-transport.ts).
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import type { Deadline, Deadlines } from './deadlines.ts';

export class OpenConnections {
  readonly #deadlines: Deadlines;
  readonly #patienceMs: number;
  // BOUNDED: by libp2p's maxConnections.
  readonly #users = new Map<Connection, ConnectionUse>();

  constructor(libp2p: Libp2p, deadlines: Deadlines, patienceMs: number) {
    this.#deadlines = deadlines;
    this.#patienceMs = patienceMs;
    libp2p.addEventListener('connection:open', ({ detail }) => this.#use(detail));
    libp2p.addEventListener('connection:close', ({ detail }) => this.#forget(detail));
  }

  get size(): number {
    return this.#users.size;
  }

  addStream(connection: Connection): void {
    const use = this.#use(connection);
    use.streams++;
    this.#deadlines.remove(use);
  }

  removeStream(connection: Connection, isDone: boolean): void {
    const use = this.#users.get(connection);
    if (use === undefined) return;
    use.streams--;
    if (use.streams > 0) return;
    if (isDone) use.expire();
    else this.#deadlines.add(use, this.#patienceMs);
  }

  #use(connection: Connection): ConnectionUse {
    const known = this.#users.get(connection);
    if (known !== undefined) return known;
    const use = new ConnectionUse(connection);
    this.#users.set(connection, use);
    this.#deadlines.add(use, this.#patienceMs);
    return use;
  }

  #forget(connection: Connection): void {
    const use = this.#users.get(connection);
    if (use === undefined) return;
    this.#users.delete(connection);
    this.#deadlines.remove(use);
  }
}

class ConnectionUse implements Deadline {
  dueTick = 0;
  streams = 0;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Unused. */
  expire(): void {
    this.#connection.close().catch((error: unknown) => {
      this.#connection.abort(error instanceof Error ? error : new Error(String(error)));
    });
  }
}
