/**
 * Group commit: writes that arrive while one transaction is at work share the next. Order of arrival is order of execution. Knows nothing of
 * the database: `commit` runs `fill` inside a transaction and resolves when that is durable.
 */
import { NautilusError } from '../../core/index.ts';

export interface Write<T> {
  /** Operations and bytes in it, for the bounds. */
  readonly count: number;
  readonly bytes: number;
  /** Called once, inside the transaction. What it throws is its caller's alone: the transaction goes on. */
  readonly run: () => T;
}

export type Commit = (bytes: number, fill: () => void) => Promise<void>;

// BOUNDED: operations and bytes waiting; a single larger batch is taken when nothing else waits.
const MAX_WAITING_OPERATIONS = 65_536;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Of one transaction: keeps its latency, and what is lost when it fails, small. */
const MAX_COMMIT_OPERATIONS = 4_096;
const MAX_COMMIT_BYTES = 8 * 1024 * 1024;

interface Waiting {
  readonly count: number;
  readonly bytes: number;
  readonly run: () => void;
  readonly settle: () => void;
  readonly fail: (error: unknown) => void;
}

export class WriteQueue {
  readonly #commit: Commit;
  #waiting: Waiting[] = [];
  #count = 0;
  #bytes = 0;
  #working: Promise<void> | undefined;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  /**
   * Resolves with what `run` returned once it is durable. An aborted signal keeps a write out of its transaction; one that is in is told.
   * @throws NautilusError `RESOURCE_EXHAUSTED`; whatever `commit` rejects with or `run` throws
   */
  add<T>(write: Write<T>, signal?: AbortSignal): Promise<T> {
    const isOver = this.#count + write.count > MAX_WAITING_OPERATIONS || this.#bytes + write.bytes > MAX_WAITING_BYTES;
    if (isOver && this.#count > 0) {
      return Promise.reject(
        new NautilusError('RESOURCE_EXHAUSTED', `${this.#count} writes already wait for the disk: try again later`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      let settle = () => reject(signal?.reason);
      const run = () => {
        if (signal?.aborted) return;
        try {
          const result = write.run();
          settle = () => resolve(result);
        } catch (error) {
          settle = () => reject(error);
        }
      };
      this.#waiting.push({ count: write.count, bytes: write.bytes, run, settle: () => settle(), fail: reject });
      this.#count += write.count;
      this.#bytes += write.bytes;
      this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing waits and nothing is at work. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // One tick, so that the writes of this turn share the first transaction.
    await null;
    while (this.#waiting.length > 0) {
      const group = this.#take();
      const bytes = group.reduce((sum, write) => sum + write.bytes, 0);
      try {
        await this.#commit(bytes, () => {
          for (const write of group) write.run();
        });
        for (const write of group) write.settle();
      } catch (error) {
        for (const write of group) write.fail(error);
      }
    }
    this.#working = undefined;
  }

  #take(): Waiting[] {
    let count = 0;
    let bytes = 0;
    let length = 0;
    for (const write of this.#waiting) {
      count += write.count;
      bytes += write.bytes;
      if (length > 0 && (count > MAX_COMMIT_OPERATIONS || bytes > MAX_COMMIT_BYTES)) break;
      length++;
    }
    const group = this.#waiting.splice(0, length);
    for (const write of group) {
      this.#count -= write.count;
      this.#bytes -= write.bytes;
    }
    return group;
  }
}
