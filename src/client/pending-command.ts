/** The answer to one command as it arrives: items up to a window, then an end. Read once, by `for await`. */
import { NautilusError } from '../core/index.ts';

/** Items a node may send ahead of the reader. */
const WINDOW = 64;

export class PendingCommand implements AsyncIterable<object> {
  readonly window = WINDOW;
  readonly #grant: (more: number) => void;
  // BOUNDED: WINDOW; a node that sends more breaks the protocol and is not believed any further.
  readonly #items: object[] = [];
  #taken = 0;
  #ended: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;
  #answered = false;

  /** @param grant tells the node that there is room for this many items more */
  constructor(grant: (more: number) => void) {
    this.#grant = grant;
  }

  /** Whether the node has nothing more to say. */
  get answered(): boolean {
    return this.#answered;
  }

  push(item: object): void {
    if (this.#ended !== undefined) return;
    if (this.#items.length >= WINDOW)
      this.end(new NautilusError('MALFORMED', 'the node sent more items than it was asked for'));
    else this.#items.push(item);
    this.#wake();
  }

  /** The node's last word. Items that came before it are still read. */
  answer(error: Error | undefined): void {
    this.#answered = true;
    this.#ended ??= { error };
    this.#wake();
  }

  /** Ends it from this side: nothing is read any more. */
  end(error: unknown): void {
    this.#items.length = 0;
    this.#ended = { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#taken += 1;
        if (this.#taken === WINDOW / 2) {
          this.#taken = 0;
          this.#grant(WINDOW / 2);
        }
        yield item;
      } else if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
