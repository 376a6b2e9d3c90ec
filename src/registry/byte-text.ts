/**
 * Bytes as text of one character per byte. Text can index a Map, `<` compares it bytewise, and V8 keeps it on its own heap: 256 bytes take 272
 * there, where a typed array of its own takes some 630 in four pieces (2026-11-21). Going out, small values share a buffer, as Node's own do: an
 * allocation each is what a read would mostly consist of.
 */
import { markAsUntransferable } from 'node:worker_threads';

// BOUNDED: what is copied through here on the way to text; longer bytes get a view of their own.
const scratch = Buffer.alloc(512);

/** Half of what Node reads from a socket at a time: 128 values of 256 B. Whoever keeps one value for long keeps its buffer, and copies it instead. */
const POOL_BYTES = 32_768;
const POOLED_BYTES = 4_096;
let pool = createPool();
let taken = 0;

export function toByteText(bytes: Uint8Array): string {
  if (bytes.length > scratch.length) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
  scratch.set(bytes);
  return scratch.toString('latin1', 0, bytes.length);
}

/** Bytes that nobody else has, in a buffer that they share with others. */
export function fromByteText(text: string): Uint8Array {
  if (text.length > POOLED_BYTES) {
    const bytes = new Uint8Array(text.length);
    Buffer.from(bytes.buffer).write(text, 'latin1');
    return bytes;
  }
  if (taken + text.length > POOL_BYTES) {
    pool = createPool();
    taken = 0;
  }
  pool.write(text, taken, 'latin1');
  const bytes = new Uint8Array(pool.buffer, taken, text.length);
  // Whoever lays a Float64Array over it may.
  taken = (taken + text.length + 7) & ~7;
  return bytes;
}

function createPool(): Buffer<ArrayBuffer> {
  const { buffer } = new Uint8Array(POOL_BYTES);
  // A worker that was given one value would take all the others along.
  markAsUntransferable(buffer);
  return Buffer.from(buffer);
}
