/**
 * Puts frames on a stream, all those of one turn of the event loop as one chunk: one yamux frame, one noise record, one system call for many
 * messages. While the stream is full they wait here. Not here: when (the owner flushes), what a frame means.
 */
import type { Stream } from '@libp2p/interface';

const LENGTH_BYTES = 4;

export class FrameWriter {
  readonly #stream: Stream;
  // BOUNDED: by whoever writes: it looks at queuedBytes first.
  #frames: Uint8Array[] = [];
  #queuedBytes = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  write(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#queuedBytes += LENGTH_BYTES + frame.length;
  }

  /** Does nothing while the stream is full: flush again on its 'drain'. */
  flush(): void {
    if (this.#frames.length === 0 || this.#stream.writableNeedsDrain || this.#stream.writeStatus !== 'writable') return;
    const chunk = new Uint8Array(this.#queuedBytes);
    let at = 0;
    for (const frame of this.#frames) {
      const { length } = frame;
      chunk[at] = length >>> 24;
      chunk[at + 1] = length >>> 16;
      chunk[at + 2] = length >>> 8;
      chunk[at + 3] = length;
      chunk.set(frame, at + LENGTH_BYTES);
      at += LENGTH_BYTES + length;
    }
    this.#frames = [];
    this.#queuedBytes = 0;
    this.#stream.send(chunk);
  }
}
