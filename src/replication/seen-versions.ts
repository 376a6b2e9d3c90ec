/**
 * The newest versions this node has returned or refused by: it never answers a get with something older than it answered before, even if the
 * holders it happens to reach now have missed the newer one.
 */
import { BoundedMap, type Load } from '../core/index.ts';
import { cellPublisher, compareVersions, type Key, type RecordHeader, toHex } from '../records/index.ts';

const MAX_KEYS = 10_000;

export class SeenVersions {
  // BOUNDED: MAX_KEYS keys, each with at most the publishers one answer can name.
  readonly #newestByKey = new BoundedMap<string, Map<string, RecordHeader>>(MAX_KEYS);

  get load(): Load {
    return { size: this.#newestByKey.size, limit: MAX_KEYS };
  }

  /** @param header with a verified signature */
  add(header: RecordHeader): void {
    const cells = this.#newestByKey.get(header.key.text) ?? new Map<string, RecordHeader>();
    const cell = toHex(cellPublisher(header));
    const seen = cells.get(cell);
    if (seen !== undefined && compareVersions(seen, header) >= 0) return;
    cells.set(cell, header);
    this.#newestByKey.set(header.key.text, cells);
  }

  of(key: Key): readonly RecordHeader[] {
    return [...(this.#newestByKey.get(key.text)?.values() ?? [])];
  }

  /** Newest seq seen on the key, over all publishers; 0 if none. */
  newestSeq(key: Key): number {
    return this.of(key).reduce((newest, header) => Math.max(newest, header.seq), 0);
  }
}
