/**
 * Cuts a byte stream into frames: a big-endian u32 length, then that many bytes. Pulled, so that whoever reads can stop between two frames. The
 * length is checked before anything is allocated for it, and nothing is ever copied more than O(log n) times, also when it comes byte by byte.
 */

const LENGTH_BYTES = 4;
const FIRST_PARTIAL_BYTES = 1024;

export class FrameReader {
  readonly #maxFrameBytes: number;
  // BOUNDED: by what one read hands over; the owner pauses its source while frames wait here.
  #chunks: Uint8Array[] = [];
  #nextChunk = 0;
  #chunk: Uint8Array = EMPTY;
  #offset = 0;
  // BOUNDED: one frame; grows by doubling with what has arrived, not with what was announced.
  #partial: Uint8Array = EMPTY;
  #partialLength = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** A frame has begun, and not all of it is here. */
  get isInsideFrame(): boolean {
    return this.#partialLength > 0;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next frame, `undefined` until more bytes come. It may be a view of a chunk: use it before the next call, or copy. */
  next(): Uint8Array | 'oversize' | undefined {
    while (this.#offset < this.#chunk.length || this.#takeChunk()) {
      const frame = this.#partialLength === 0 ? this.#cut() : this.#complete();
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  #takeChunk(): boolean {
    const chunk = this.#chunks[this.#nextChunk];
    if (chunk === undefined) {
      if (this.#nextChunk > 0) {
        this.#chunks = [];
        this.#nextChunk = 0;
        this.#chunk = EMPTY;
        this.#offset = 0;
      }
      return false;
    }
    this.#nextChunk++;
    this.#chunk = chunk;
    this.#offset = 0;
    return true;
  }

  /** The usual case: the frame lies whole in the chunk and is a view of it. */
  #cut(): Uint8Array | 'oversize' | undefined {
    const available = this.#chunk.length - this.#offset;
    if (available >= LENGTH_BYTES) {
      const length = readLength(this.#chunk, this.#offset);
      if (length > this.#maxFrameBytes) return 'oversize';
      if (available >= LENGTH_BYTES + length) {
        const start = this.#offset + LENGTH_BYTES;
        this.#offset = start + length;
        return this.#chunk.subarray(start, this.#offset);
      }
    }
    this.#keep(available);
    return undefined;
  }

  #complete(): Uint8Array | 'oversize' | undefined {
    if (this.#partialLength < LENGTH_BYTES) {
      this.#keep(Math.min(LENGTH_BYTES - this.#partialLength, this.#chunk.length - this.#offset));
      if (this.#partialLength < LENGTH_BYTES) return undefined;
    }
    const length = readLength(this.#partial, 0);
    if (length > this.#maxFrameBytes) return 'oversize';
    const end = LENGTH_BYTES + length;
    this.#keep(Math.min(end - this.#partialLength, this.#chunk.length - this.#offset));
    if (this.#partialLength < end) return undefined;
    const frame = this.#partial.subarray(LENGTH_BYTES, end);
    this.#partial = EMPTY;
    this.#partialLength = 0;
    return frame;
  }

  /** Moves the next `count` bytes of the chunk to the partial frame. */
  #keep(count: number): void {
    const length = this.#partialLength + count;
    if (length > this.#partial.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#partial.length, FIRST_PARTIAL_BYTES));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(this.#chunk.subarray(this.#offset, this.#offset + count), this.#partialLength);
    this.#partialLength = length;
    this.#offset += count;
  }
}

const EMPTY = new Uint8Array(0);

function readLength(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
