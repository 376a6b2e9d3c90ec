/** Opens a registry over a storage: one scan rebuilds the counters and every deadline. */
import { type Clock, type Observer, SILENT_OBSERVER } from '../core/index.ts';
import type { NetworkConstants } from '../records/index.ts';
import { Registry } from './registry.ts';
import { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from './registry-limits.ts';
import type { RegistryStorage } from './storage.ts';

export interface OpenRegistryOptions {
  /** Stays the caller's: closing the registry does not close it. Nobody else may write cells to it while the registry is open. */
  readonly storage: RegistryStorage;
  readonly clock: Clock;
  readonly constants: NetworkConstants;
  /** Told `record-expired` and `warning`. @default SILENT_OBSERVER */
  readonly observer?: Observer | undefined;
  readonly limits?: Partial<RegistryLimits> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws NautilusError `STORAGE_FAILED`; `STORAGE_DAMAGED` when an entry is no record */
export async function openRegistry(options: OpenRegistryOptions): Promise<Registry> {
  const { storage, clock, constants, observer = SILENT_OBSERVER, limits, signal } = options;
  const registry = new Registry({
    storage,
    clock,
    constants,
    observer,
    limits: { ...DEFAULT_REGISTRY_LIMITS, ...limits },
  });
  await registry.load({ signal });
  return registry;
}
