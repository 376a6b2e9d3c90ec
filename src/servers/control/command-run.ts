/** One command under way for a caller: its abort, and how many items the caller has room for. Knows no socket. */

export interface CommandSink {
  /** Resolves when there is room for more. */
  item(item: object): Promise<void>;
  /** Called once, last. */
  end(outcome: { readonly error: unknown } | undefined): void;
}

/** Highest credit that is counted: more cannot be used, and sums stay exact. */
const MAX_CREDIT = 1_000_000;

export class CommandRun {
  readonly command: string;
  readonly #work: (signal: AbortSignal) => AsyncIterable<object>;
  readonly #abort = new AbortController();
  #finish: () => void = () => undefined;
  /** Resolves, never rejects; after an abort at once, even if the command is slow to notice. */
  readonly finished = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });
  /** Items that may be sent without hearing more. */
  #credit: number;
  #onCredit: () => void = () => undefined;
  #interrupt: () => void = () => undefined;

  /** @param window first credit; undefined for a caller that takes everything at once */
  constructor(command: string, window: number | undefined, work: (signal: AbortSignal) => AsyncIterable<object>) {
    this.command = command;
    this.#credit = window ?? Number.POSITIVE_INFINITY;
    this.#work = work;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
    this.#interrupt();
  }

  grant(items: number): void {
    this.#credit = Math.min(this.#credit + items, Math.max(this.#credit, MAX_CREDIT));
    this.#onCredit();
  }

  /** Never rejects. */
  async start(sink: CommandSink): Promise<void> {
    const { signal } = this.#abort;
    const items = this.#work(signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { value, done } = await this.#untilAbort(items.next());
        if (done) break;
        if (this.#credit <= 0) await this.#untilAbort(this.#moreCredit());
        this.#credit -= 1;
        await this.#untilAbort(sink.item(value));
      }
      sink.end(undefined);
    } catch (error) {
      // The command may still be busy with its last step; what becomes of that is nobody's concern any more.
      items.return?.().catch(() => undefined);
      // Whatever an aborted command failed with, the abort is why.
      sink.end({ error: signal.aborted ? signal.reason : error });
    } finally {
      this.#finish();
    }
  }

  #moreCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCredit = () => {
        if (this.#credit > 0) resolve();
      };
    });
  }

  /** Not Promise.race with one long-lived promise: that one would keep a reaction for every item. */
  #untilAbort<T>(step: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      this.#interrupt = () => reject(signal.reason);
      if (signal.aborted) reject(signal.reason);
      step.then(resolve, reject);
    });
  }
}
