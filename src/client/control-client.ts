/** Commands on a running node, many at a time over one connection. A slow reader of one answer holds up no other. */
import type { Socket } from 'node:net';
import {
  type CallOptions,
  type CommandCaller,
  type CommandInput,
  type CommandName,
  type CommandOutput,
  type ErrorObject,
  encodeMessage,
  fromErrorObject,
  LineSplitter,
  MAX_COMMANDS_IN_FLIGHT,
  MAX_MESSAGE_BYTES,
  parseJsonLine,
} from '../commands/index.ts';
import { NautilusError } from '../core/index.ts';
import { PendingCommand } from './pending-command.ts';

export class ControlClient implements CommandCaller {
  readonly dataDir: string;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #lines = new LineSplitter(MAX_MESSAGE_BYTES);
  // BOUNDED: MAX_COMMANDS_IN_FLIGHT; callers beyond it wait in #waiting.
  readonly #pending = new Map<number, PendingCommand>();
  // BOUNDED: one entry per call the caller itself has not heard of yet.
  readonly #waiting = new Set<() => void>();
  #lastId = 0;
  #failure: NautilusError | undefined;

  /** @param socket connected; the client owns it from here on */
  constructor(socket: Socket, dataDir: string) {
    this.#socket = socket;
    this.dataDir = dataDir;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#fail(this.#lost('closed the connection: see its log'));
        resolve();
      });
    });
  }

  async call<N extends CommandName>(
    name: N,
    input: CommandInput<N>,
    options: CallOptions = {},
  ): Promise<CommandOutput<N>> {
    const items = this.stream(name, input, options);
    const { value, done } = await items.next();
    if (done) throw new NautilusError('MALFORMED', `the node in ${this.dataDir} answered ${name} with nothing`);
    await items.next(); // the end of it: an error after the item counts
    return value;
  }

  async *stream<N extends CommandName>(
    name: N,
    input: CommandInput<N>,
    options: CallOptions = {},
  ): AsyncIterableIterator<CommandOutput<N>> {
    const { signal } = options;
    signal?.throwIfAborted();
    while (this.#failure === undefined && this.#pending.size >= MAX_COMMANDS_IN_FLIGHT) await this.#untilRoom(signal);
    if (this.#failure !== undefined) throw this.#failure;
    if (signal?.aborted) {
      this.#resumeNext(); // the room goes to the next in line
      throw signal.reason;
    }
    const id = ++this.#lastId;
    const pending = new PendingCommand((more) => this.#send({ id, more }));
    this.#pending.set(id, pending);
    const release = () => {
      signal?.removeEventListener('abort', onAbort);
      if (!this.#pending.delete(id)) return;
      if (!pending.answered) this.#send({ id, cancel: true });
      this.#resumeNext();
    };
    // At once, not when the reader comes back for the next item: it may never.
    const onAbort = () => {
      pending.end(signal?.reason);
      release();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#send({ id, command: name, input, window: pending.window });
      // What the node answers with is its half of the contract that CommandShapes writes down.
      for await (const item of pending) yield item as CommandOutput<N>;
    } finally {
      release();
    }
  }

  /** Cancels what is under way. Idempotent. */
  close(): void {
    this.#fail(new NautilusError('ABORTED', 'the client was closed'));
    this.#socket.destroy();
  }

  #untilRoom(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(resume);
        signal?.removeEventListener('abort', onAbort);
      };
      const resume = () => {
        leave();
        resolve();
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(resume);
    });
  }

  #resumeNext(): void {
    const [resume] = this.#waiting;
    resume?.();
  }

  #send(message: Parameters<typeof encodeMessage>[0]): void {
    if (this.#socket.writable) this.#socket.write(encodeMessage(message));
  }

  #onData(chunk: Uint8Array): void {
    for (const line of this.#lines.push(chunk)) {
      const parsed = line === 'too-long' ? undefined : parseJsonLine(line);
      if (parsed?.kind !== 'object') {
        this.#fail(this.#lost('answered with something else than messages: is it of another version?'));
        this.#socket.destroy();
        return;
      }
      this.#onMessage(parsed.value);
    }
  }

  #onMessage({ id, item, done, error }: Readonly<Record<string, unknown>>): void {
    const failure = error === undefined ? undefined : fromErrorObject(error as ErrorObject);
    // Without an id it is about the connection, hence about everything on it.
    if (id === null && failure !== undefined) this.#fail(failure);
    const pending = this.#pending.get(id as number);
    if (pending === undefined) return; // cancelled meanwhile
    if (item !== undefined) pending.push(item as object);
    else if (failure !== undefined || done === true) pending.answer(failure);
  }

  #fail(failure: NautilusError): void {
    this.#failure ??= failure;
    for (const pending of this.#pending.values()) pending.answer(this.#failure);
    for (const resume of this.#waiting) resume();
  }

  #lost(what: string): NautilusError {
    return new NautilusError('NODE_UNREACHABLE', `the node in ${this.dataDir} ${what}`);
  }
}
