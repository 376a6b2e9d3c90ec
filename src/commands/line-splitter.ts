/** Cuts a byte stream into lines of bounded length. Used for control messages and for batch files alike. */
const NEWLINE = 0x0a;

export class LineSplitter {
  readonly #maxBytes: number;
  // BOUNDED: maxBytes plus one chunk.
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Lines that `chunk` completes, without their newline. `'too-long'` instead of a line over the limit: the stream cannot be understood from
   * there on, and nothing more may be pushed.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array | 'too-long'> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#take(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > this.#maxBytes) {
        yield 'too-long';
        return;
      }
      yield line;
    }
    if (start < chunk.length) {
      this.#pending.push(chunk.subarray(start));
      this.#pendingBytes += chunk.length - start;
    }
    if (this.#pendingBytes > this.#maxBytes) yield 'too-long';
  }

  /** What came after the last newline: the last line of a file that does not end in one. */
  rest(): Uint8Array {
    return this.#take(new Uint8Array(0));
  }

  #take(last: Uint8Array): Uint8Array {
    if (this.#pending.length === 0) return last;
    const line = new Uint8Array(this.#pendingBytes + last.length);
    let offset = 0;
    for (const part of [...this.#pending, last]) {
      line.set(part, offset);
      offset += part.length;
    }
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }
}
