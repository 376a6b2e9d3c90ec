/** What the bench of the storages does to both sides of a row: our storage, and the bare driver that does the same by hand. */
import type { RegistryStorage } from '../../src/registry/index.ts';

export interface BenchEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly version: number;
  readonly expiresAt: number;
}

export interface StoreSide {
  get(key: Buffer): unknown;
  /** Whatever is there. */
  put(entry: BenchEntry): unknown;
  /** Where nothing is. */
  batch(entries: readonly BenchEntry[]): unknown;
  /** In key order, a page after the other until `count` were seen; resolves with how many there were. */
  scan(pageSize: number, count: number): Promise<number>;
  close(): Promise<unknown>;
}

export function storageSide(storage: RegistryStorage): StoreSide {
  return {
    get: (key) => storage.retrieve(key),
    put: ({ key, ...entry }) => storage.store(key, entry),
    batch: (entries) =>
      storage.storeIfBatch(entries.map(({ key, ...entry }) => ({ key, expected: 'absent' as const, entry }))),
    scan: (limit, count) =>
      scanPages(limit, count, async (after) => {
        const page = await storage.scan({ limit, ...(after && { after }) });
        return page.map(({ key }) => key);
      }),
    close: () => storage.close(),
  };
}

export async function scanPages(
  limit: number,
  enough: number,
  read: (after: Uint8Array | undefined) => Promise<readonly Uint8Array[]> | readonly Uint8Array[],
): Promise<number> {
  let count = 0;
  let after: Uint8Array | undefined;
  for (;;) {
    const keys = await read(after);
    count += keys.length;
    after = keys.at(-1);
    if (keys.length < limit || count >= enough) return count;
  }
}
