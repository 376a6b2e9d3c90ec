/**
 * Operations that are asked for in one turn share commands: a script over a hundred keys costs the server and us little more than one over
 * one. Nothing waits for company: what is there when the turn ends is sent. Order of arrival is order of execution.
 */
export interface RedisBatcherOptions<Operation, Outcome> {
  readonly sizeOf: (operation: Operation) => number;
  /** One command. Outcomes in the same order; an Error fails its operation alone. */
  readonly run: (operations: readonly Operation[]) => Promise<readonly (Outcome | Error)[]>;
}

/** Of one command: what a script holds up the server for, and what is lost when it fails. */
const MAX_OPERATIONS = 128;
const MAX_BYTES = 512 * 1024;

/** What one call asked for, settled together. */
interface Group<Outcome> {
  readonly outcomes: Outcome[];
  missing: number;
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting<Operation, Outcome> {
  readonly operation: Operation;
  readonly signal: AbortSignal | undefined;
  readonly group: Group<Outcome>;
  /** Of its outcome in the group. */
  readonly index: number;
}

export class RedisBatcher<Operation, Outcome> {
  readonly #options: RedisBatcherOptions<Operation, Outcome>;
  // BOUNDED: by the reservations of the connection, and emptied at the end of each turn.
  #waiting: Waiting<Operation, Outcome>[] = [];

  constructor(options: RedisBatcherOptions<Operation, Outcome>) {
    this.#options = options;
  }

  /**
   * Outcomes in the same order. When an operation fails so does the call, and the others happen all the same. Nothing is sent when the signal
   * is aborted before the turn ends.
   */
  add(operations: readonly Operation[], signal?: AbortSignal): Promise<readonly Outcome[]> {
    if (operations.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      // Behind all promise jobs of this turn, hence behind all calls they make.
      if (this.#waiting.length === 0) process.nextTick(() => this.#flush());
      const group = { outcomes: new Array<Outcome>(operations.length), missing: operations.length, resolve, reject };
      for (const [index, operation] of operations.entries()) this.#waiting.push({ operation, signal, group, index });
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    let chunk: Waiting<Operation, Outcome>[] = [];
    let bytes = 0;
    for (const each of waiting) {
      if (each.signal?.aborted) {
        each.group.reject(each.signal.reason);
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

  /** Never rejects: the groups are told. */
  async #run(chunk: readonly Waiting<Operation, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#options.run(chunk.map(({ operation }) => operation));
      for (const [at, { group, index }] of chunk.entries()) {
        const outcome = outcomes[at]!;
        if (outcome instanceof Error) {
          group.reject(outcome);
          continue;
        }
        group.outcomes[index] = outcome;
        group.missing--;
        if (group.missing === 0) group.resolve(group.outcomes);
      }
    } catch (error) {
      for (const { group } of chunk) group.reject(error);
    }
  }
}
