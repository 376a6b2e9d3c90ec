/**
 * One caller on the control socket. Reads messages, runs commands, writes their items as fast as the caller takes them, and aborts what is
 * under way when the caller goes. A caller that writes without reading is paused; one that breaks the framing is told so and cut.
 */
import type { Socket } from 'node:net';
import {
  type CommandMessage,
  type ErrorObject,
  encodeMessage,
  LineSplitter,
  MAX_COMMANDS_IN_FLIGHT,
  MAX_MESSAGE_BYTES,
  type NodeApi,
  type NodeMessage,
  parseJsonLine,
  runCommand,
  toErrorObject,
} from '../../commands/index.ts';
import { NautilusError, type Observer } from '../../core/index.ts';
import { CommandRun } from './command-run.ts';
import { type ParsedCallerMessage, parseCallerMessage } from './parse-caller-message.ts';

export interface ControlConnectionInit {
  readonly api: NodeApi;
  readonly observer: Observer;
  readonly onClose: () => void;
}

/** What a command that is the node's own end is called: see `close`. */
const STOP = 'stop';

export class ControlConnection {
  readonly #socket: Socket;
  readonly #init: ControlConnectionInit;
  readonly #lines = new LineSplitter(MAX_MESSAGE_BYTES);
  // BOUNDED: MAX_COMMANDS_IN_FLIGHT.
  readonly #runs = new Map<number, CommandRun>();
  #drained: Promise<void> | undefined;
  #onRoom: () => void = () => undefined;
  #closing = false;

  constructor(socket: Socket, init: ControlConnectionInit) {
    this.#socket = socket;
    this.#init = init;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    // 'close' follows either way; a caller that vanished is no event worth a word.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  /** Aborts every command but a `stop`; the connection ends when none is left. Resolves once nothing but a `stop` is under way. */
  async close(): Promise<void> {
    this.#closing = true;
    const others = [...this.#runs.values()].filter(({ command }) => command !== STOP);
    for (const run of others)
      run.abort(new NautilusError('ABORTED', 'the node is stopping: start it again, then repeat'));
    await Promise.all(others.map(({ finished }) => finished));
    this.#endWhenIdle();
  }

  #onData(chunk: Uint8Array): void {
    for (const line of this.#lines.push(chunk)) {
      if (line === 'too-long') {
        this.#cut(`a message is longer than ${MAX_MESSAGE_BYTES} bytes: send less at once`);
        return;
      }
      this.#onLine(line);
    }
  }

  #onLine(line: Uint8Array): void {
    if (line.length === 0) return;
    const parsed = parseJsonLine(line);
    const message: ParsedCallerMessage = parsed.kind === 'object' ? parseCallerMessage(parsed.value) : parsed;
    switch (message.kind) {
      case 'invalid':
        this.#fail(message.id ?? null, { code: 'MALFORMED', message: `the message is ${message.reason}` });
        return;
      case 'cancel':
        this.#runs.get(message.id)?.abort(new NautilusError('ABORTED', 'the caller gave up'));
        return;
      case 'more':
        this.#runs.get(message.id)?.grant(message.more);
        return;
      case 'command':
        this.#onCommand(message);
    }
  }

  #onCommand({ id, command, input, window }: CommandMessage): void {
    if (this.#closing) {
      this.#fail(id, { code: 'NODE_UNREACHABLE', message: 'the node is stopping: start it again, then repeat' });
    } else if (this.#runs.has(id)) {
      this.#fail(null, { code: 'MALFORMED', message: `command ${id} is under way already: use a new id` });
    } else if (this.#runs.size >= MAX_COMMANDS_IN_FLIGHT) {
      const message = `${MAX_COMMANDS_IN_FLIGHT} commands are under way on this connection: wait for some`;
      this.#fail(id, { code: 'RESOURCE_EXHAUSTED', message });
    } else {
      const run = new CommandRun(command, window, (signal) => runCommand(this.#init.api, command, input, { signal }));
      this.#runs.set(id, run);
      void run.start({
        item: (item) => this.#write({ id, item }),
        end: (outcome) => this.#onEnd(id, command, outcome),
      });
    }
  }

  #onEnd(id: number, command: string, outcome: { readonly error: unknown } | undefined): void {
    this.#runs.delete(id);
    if (outcome === undefined) void this.#write({ id, done: true });
    else {
      const error = toErrorObject(outcome.error);
      if (error.code === 'INTERNAL') {
        this.#init.observer.notify({
          type: 'warning',
          code: 'COMMAND_FAILED',
          message: `${command}: ${error.message}`,
        });
      }
      this.#fail(id, error);
    }
    this.#endWhenIdle();
  }

  #fail(id: number | null, error: ErrorObject): void {
    void this.#write({ id, error });
  }

  /** Resolves when there is room for more. Reading stops meanwhile: who does not take answers gets no new ones. */
  async #write(message: NodeMessage): Promise<void> {
    if (!this.#socket.writable) return;
    if (this.#socket.write(encodeMessage(message))) return;
    this.#drained ??= new Promise((resolve) => {
      this.#onRoom = resolve;
    });
    this.#socket.pause();
    await this.#drained;
  }

  #onDrain(): void {
    this.#drained = undefined;
    this.#onRoom();
    this.#socket.resume();
  }

  #cut(reason: string): void {
    this.#fail(null, { code: 'MALFORMED', message: reason });
    this.#socket.removeAllListeners('data');
    // Not destroySoon(): what the caller has sent and nobody reads would reset the connection before the answer arrives.
    this.#socket.end();
    this.#socket.resume();
  }

  #endWhenIdle(): void {
    if (this.#closing && this.#runs.size === 0) this.#socket.end();
  }

  #onClose(): void {
    for (const run of this.#runs.values()) run.abort(new NautilusError('ABORTED', 'the caller went away'));
    this.#onDrain();
    this.#init.onClose();
  }
}
