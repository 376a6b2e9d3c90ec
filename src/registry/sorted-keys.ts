/**
 * Distinct strings in order, cheap to change while somebody scans: sorted chunks of a few hundred, found by binary search. An insert moves
 * at most one chunk's pointers, where one sorted array would move all of them and a lazily sorted one would be sorted again after each.
 */

/** Small enough that a splice is a fraction of a microsecond, large enough that a million keys make a few thousand chunks. */
const MAX_CHUNK = 512;

export class SortedKeys {
  // BOUNDED: by the entries of the storage that owns it. No chunk is empty.
  readonly #chunks: string[][] = [];

  /** `key` must not be there yet. */
  add(key: string): void {
    const index = Math.min(this.#chunkOf(key), this.#chunks.length - 1);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(lowerBound(chunk, key), 0, key);
    if (chunk.length > MAX_CHUNK) this.#chunks.splice(index + 1, 0, chunk.splice(MAX_CHUNK >> 1));
  }

  /** `key` must be there. */
  delete(key: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index]!;
    chunk.splice(lowerBound(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** Keys from `start` on, inclusive, in order. The set must not change while the iterator is in use. */
  *from(start: string): Generator<string, void> {
    let position = -1;
    for (let index = this.#chunkOf(start); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      for (position = position < 0 ? lowerBound(chunk, start) : 0; position < chunk.length; position++) {
        yield chunk[position]!;
      }
    }
  }

  clear(): void {
    this.#chunks.length = 0;
  }

  /** Index of the first chunk whose last key is not before `key`; the number of chunks if there is none. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#chunks[middle]!.at(-1)! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Index of the first element that is not before `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
