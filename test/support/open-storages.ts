/** Storages opened by their URL as a node would, on the machine's clock, and closed when the test is over. */
import { afterEach } from 'vitest';
import type { NodeEvent } from '../../src/core/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { openStorage, type RegistryStorage, type StorageEntry } from '../../src/registry/index.ts';

export interface OpenOptions {
  readonly events?: NodeEvent[];
  readonly signal?: AbortSignal;
}

export function openStorages(): (url: string, options?: OpenOptions) => Promise<RegistryStorage> {
  const opened: RegistryStorage[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((storage) => storage.close()));
  });
  return async (url, { events = [], signal } = {}) => {
    const observer = { notify: (event: NodeEvent) => void events.push(event) };
    const storage = await openStorage(url, { dataDir: '/nowhere', clock: systemClock, observer, signal });
    opened.push(storage);
    return storage;
  };
}

export function numbered(n: number): Uint8Array {
  return Uint8Array.of(n >> 8, n & 0xff);
}

/** Lives for an hour. */
export function hourEntry(version = 1, bytes = 16): StorageEntry {
  return { value: new Uint8Array(bytes).fill(version), version, expiresAt: systemClock.now() + 3_600_000 };
}
