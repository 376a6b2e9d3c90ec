/** The registry of a server and the storages under it: those its configuration names, which may be exchanged, or the one it was given. */
import { type Clock, NautilusError, type Observer, type StateStore } from '../core/index.ts';
import { systemRandom } from '../platform/index.ts';
import type { NetworkConstants } from '../records/index.ts';
import {
  absoluteUrls,
  openExchangeable,
  openRegistry,
  openStorages,
  type Registry,
  type RegistryStorage,
  storageNames,
} from '../registry/index.ts';
import type { NodeConfig } from './config.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Storages } from './nautilus-node.ts';

export interface OpenRecordsOptions {
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
  readonly state: StateStore;
  /** Instead of those the configuration names. Who gave it sees to its being closed. */
  readonly storage?: RegistryStorage | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedRecords {
  readonly registry: Registry;
  readonly storages: Storages;
}

/** @throws NautilusError `CONFIG_INVALID`, and what opening a storage throws */
export async function openRecords(config: NodeConfig, options: OpenRecordsOptions): Promise<OpenedRecords> {
  const { clock, lifecycle, observer, constants, signal } = options;
  const { maxRecords, maxBytes } = config.limits;
  const { storage, storages } = options.storage ? given(options.storage) : await openNamed(config, options);
  const registry = await openRegistry({
    storage,
    clock,
    constants,
    observer,
    limits: { maxRecords, maxBytes },
    signal,
  });
  lifecycle.opened('registry', registry, () => registry.close());
  return { registry, storages };
}

interface Opened {
  readonly storage: RegistryStorage;
  readonly storages: Storages;
}

async function openNamed({ storage: urls, dataDir }: NodeConfig, options: OpenRecordsOptions): Promise<Opened> {
  const { clock, lifecycle, observer, state, signal } = options;
  const opening = { dataDir, clock, random: systemRandom, observer, state };
  const exchanger = await openExchangeable({
    ...opening,
    urls,
    open: (each, upTo) => openStorages(each, { ...opening, signal: upTo }),
    name: (each) => storageNames(each, dataDir),
    signal,
  });
  lifecycle.opened('records', exchanger, () => exchanger.close());
  const storages: Storages = {
    get current() {
      return exchanger.current;
    },
    get progress() {
      return exchanger.progress;
    },
    migrate: (to, moving) => exchanger.migrate(absoluteUrls([to], dataDir), moving),
  };
  return { storage: exchanger.storage, storages };
}

/** Nobody but the program that made it knows how to open it again, so a start could not resume a migration. */
function given(storage: RegistryStorage): Opened {
  return {
    storage,
    storages: {
      current: { names: ['given by the program'], ring: undefined },
      progress: undefined,
      migrate: () => {
        throw new NautilusError(
          'CONFIG_INVALID',
          'the program gave this node its storage: only one that --storage names can be migrated',
        );
      },
    },
  };
}
