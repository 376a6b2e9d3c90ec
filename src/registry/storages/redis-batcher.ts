/**
 * Operations that are asked for in one turn share commands: a script over a hundred keys costs the server and us little more than one over
 * one. Nothing waits for company: what is there when the turn ends is sent. Order of arrival is order of execution.
 */
export interface RedisBatcherOptions<Operation, Outcome> {
  readonly sizeOf: (operation: Operation) => number;
  /** One command. Outcomes in the same order; an Error fails its operation alone. */
  readonly run: (operations: readonly Operation[]) => Promise<readonly (Outcome | Error)[]>;
}

/** Of one command: what a script holds up the server for, and what it costs when it fails. */
const MAX_OPERATIONS = 128;
const MAX_BYTES = 512 * 1024;

interface Waiting<Operation, Outcome> {
  readonly operation: Operation;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export class RedisBatcher<Operation, Outcome> {
  readonly #options: RedisBatcherOptions<Operation, Outcome>;
  // BOUNDED: by the reservations of the connection, and emptied at the end of each turn.
  #waiting: Waiting<Operation, Outcome>[] = [];

  constructor(options: RedisBatcherOptions<Operation, Outcome>) {
    this.#options = options;
  }

  /** An operation whose signal is aborted before the turn ends is not sent. */
  add(operation: Operation, signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      // Behind all promise jobs of this turn, hence behind all calls they make.
      if (this.#waiting.length === 0) process.nextTick(() => this.#flush());
      this.#waiting.push({ operation, signal, resolve, reject });
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    let chunk: Waiting<Operation, Outcome>[] = [];
    let bytes = 0;
    for (const each of waiting) {
      if (each.signal?.aborted) {
        each.reject(each.signal.reason);
        continue;
      }
      const size = this.#options.sizeOf(each.operation);
      if (chunk.length >= MAX_OPERATIONS || (chunk.length > 0 && bytes + size > MAX_BYTES)) {
        void this.#run(chunk);
        chunk = [];
        bytes = 0;
      }
      chunk.push(each);
      bytes += size;
    }
    if (chunk.length > 0) void this.#run(chunk);
  }

  /** Never rejects: each operation is told. */
  async #run(chunk: readonly Waiting<Operation, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#options.run(chunk.map(({ operation }) => operation));
      for (const [index, { resolve, reject }] of chunk.entries()) {
        const outcome = outcomes[index]!;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of chunk) reject(error);
    }
  }
}
