/**
 * The only composition root: opens what a node needs, in order, and hands each part what it asks for. Whatever goes wrong on the way, everything
 * opened so far is closed again. Not here: what the parts do, or any decision that outlives the start.
 */
import { join } from 'node:path';
import {
  type Bootstrapper,
  createBootstrapper,
  createBootstrapService,
  parseListAddress,
  parsePeerAddress,
  parsePeerSources,
  parseRendezvousAddress,
} from '../bootstrap/index.ts';
import {
  type Clock,
  isNautilusError,
  NautilusError,
  type Observer,
  SILENT_OBSERVER,
  type StateStore,
} from '../core/index.ts';
import { Kademlia, type Transport } from '../kademlia/index.ts';
import {
  createLibp2pTransport,
  DEFAULT_NETWORK_LIMITS,
  type Libp2pTransport,
  LOOPBACK_NETWORK_LIMITS,
} from '../network/index.ts';
import {
  combineObservers,
  createLogger,
  createLogObserver,
  createSigner,
  createVerifier,
  type Identity,
  loadOrCreateIdentity,
  openDataDirectory,
  systemClock,
  systemRandom,
} from '../platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, type NetworkConstants, toPeerIdText } from '../records/index.ts';
import {
  absoluteUrls,
  checkStorageUrl,
  createStateStore,
  openExchangeable,
  openLmdbStorage,
  openRegistry,
  openStorages,
  parseShardUrls,
  type Registry,
  type RegistryStorage,
  storageNaming,
} from '../registry/index.ts';
import { Replication } from '../replication/index.ts';
import { createControlServer } from '../servers/control/index.ts';
import { type ConfigSources, loadConfig, type NodeConfig } from './config.ts';
import { Lifecycle } from './lifecycle.ts';
import { NautilusNode, type Storages } from './nautilus-node.ts';

/**
 * The configuration of a node: flags over `NAUTILUS_*` over `config.json` in the data directory over defaults.
 * @throws NautilusError `CONFIG_INVALID` naming every bad field, `DATA_DIR_UNUSABLE`
 */
export function resolveConfig(sources: Omit<ConfigSources, 'file'>): Promise<NodeConfig> {
  return loadConfig(sources, {
    parsePeerAddress,
    parseRendezvousAddress,
    parseListAddress,
    parseStorage: checkStorageUrl,
    checkStorages: parseShardUrls,
  });
}

export interface CreateNodeOptions {
  /** Told what the rooms notice, besides the node's own log. */
  readonly observer?: Observer | undefined;
  /** Gives up the start; a node that has started is stopped by `stop()`. */
  readonly signal?: AbortSignal | undefined;
  /** What time it is for this node. @default the machine's */
  readonly clock?: Clock | undefined;
  /** Called once, with the transport over libp2p: what it returns is what the node speaks through. It must pass `stop()` on. @default that transport itself */
  readonly wrapTransport?: ((transport: Transport) => Transport) | undefined;
  /**
   * Where a server keeps its records, instead of what the configuration names: a storage of your own. From now on it is the node's, which closes it
   * when it stops or cannot start.
   */
  readonly storage?: RegistryStorage | undefined;
}

/** How many ports after the default are tried when nobody chose one. */
const PORTS_TRIED = 100;

/**
 * Starts a node: it serves its doors and is on its way into the network when this resolves, it does not wait for peers.
 * @throws NautilusError `CONFIG_INVALID`, `ADDRESS_INVALID`, `DATA_DIR_IN_USE`, `DATA_DIR_UNUSABLE`, `STORAGE_DAMAGED`, `PORT_TAKEN`, …
 */
export async function createNode(config: NodeConfig, options: CreateNodeOptions = {}): Promise<NautilusNode> {
  const { observer: listener = SILENT_OBSERVER, clock = systemClock, storage } = options;
  const lifecycle = new Lifecycle({ clock, observer: listener });
  try {
    if (storage !== undefined) lifecycle.opened('given storage', storage, (given) => given.close());
    return await openNode(config, { ...options, clock, lifecycle, listener });
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

interface Opening extends Pick<CreateNodeOptions, 'signal' | 'wrapTransport' | 'storage'> {
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly listener: Observer;
}

async function openNode(config: NodeConfig, opening: Opening): Promise<NautilusNode> {
  const { clock, lifecycle, listener, signal, storage } = opening;
  const { wrapTransport = (transport: Transport) => transport } = opening;
  const { mode, network, dataDir } = config;
  const constants: NetworkConstants = { ...DEFAULT_NETWORK_CONSTANTS, network };

  const tell = (message: string) => listener.notify({ type: 'warning', code: 'START', message });
  const directory = await openDataDirectory(dataDir, { clock, signal, onWait: tell });
  lifecycle.opened('data directory', directory, (opened) => opened.release());
  const identity = await loadOrCreateIdentity(dataDir);

  const logger = await createLogger({
    level: config.logLevel,
    file: join(dataDir, 'node.log'),
    stderr: { write: () => undefined },
  });
  lifecycle.opened('log', logger, (opened) => opened.close());
  const observer = combineObservers(createLogObserver(logger, clock), listener);

  const stateStorage = await openLmdbStorage({ directory: join(dataDir, 'state'), clock, signal });
  lifecycle.opened('state', stateStorage, (storage) => storage.close());
  const state = createStateStore(stateStorage);
  const records =
    mode === 'server'
      ? await openRecords(config, { clock, lifecycle, observer, constants, state, storage, signal })
      : undefined;

  const transport = wrapTransport(await openTransport(config, identity, { clock, observer, constants }));
  lifecycle.opened('transport', transport, (opened) => opened.stop());
  const kademlia = new Kademlia({ transport, clock, random: systemRandom, observer, state, constants });
  const signer = createSigner(identity.privateKey);
  const verifier = createVerifier();
  const replication = await Replication.create({
    kademlia,
    store: records?.registry,
    state,
    signer,
    verifier,
    clock,
    random: systemRandom,
    observer,
    constants,
  });
  lifecycle.opened('repair', replication, (opened) => opened.stop());
  lifecycle.opened('network', kademlia, (overlay) => overlay.stop());
  await kademlia.start(replication.handler, replication);
  replication.start();
  lifecycle.opened('records of others', replication, (opened) => opened.leave());
  signal?.throwIfAborted();

  const { peerIdText: peerId, privateKey } = identity;
  const self = { peerId, privateKey, addresses: () => kademlia.self.addresses, mode };
  const sources = parsePeerSources({ ...config, self, clock, random: systemRandom, observer });
  const bootstrapper: Bootstrapper = createBootstrapper({
    kademlia,
    sources,
    selfPeerId: peerId,
    clock,
    random: systemRandom,
    observer,
  });
  lifecycle.opened('bootstrap', bootstrapper, (opened) => opened.stop());
  bootstrapper.start();

  const node = new NautilusNode({
    kademlia,
    replication,
    bootstrapper,
    store: records?.registry,
    storages: records?.storages,
    clock,
    constants,
    lifecycle,
    dataDir,
  });
  if (config.list !== undefined) {
    const service = await createBootstrapService({
      listen: config.list,
      network,
      ownAddresses: () => node.ready.addresses,
      liveAddresses: () => dialable(kademlia),
      random: systemRandom,
    });
    lifecycle.opened('peer list', service, (opened) => opened.stop());
    observer.notify({ type: 'bootstrap-progress', source: '--list', message: `the peer list is at ${service.url}` });
  }
  const control = await createControlServer({ api: node, dataDir, observer });
  lifecycle.opened('control socket', control, (opened) => opened.close());
  return node;
}

interface OpeningRecords extends Omit<Opening, 'listener' | 'wrapTransport'> {
  readonly observer: Observer;
  readonly constants: NetworkConstants;
  readonly state: StateStore;
}

interface Records {
  readonly registry: Registry;
  readonly storages: Storages;
}

/** The registry of a server and the storages under it: those its configuration names, which may be exchanged, or the one it was given. */
async function openRecords(config: NodeConfig, opening: OpeningRecords): Promise<Records> {
  const { clock, lifecycle, observer, constants, signal } = opening;
  const { maxRecords, maxBytes } = config.limits;
  const { storage, storages } = opening.storage ? given(opening.storage) : await openNamed(config, opening);
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

interface OpenedStorage {
  readonly storage: RegistryStorage;
  readonly storages: Storages;
}

async function openNamed({ storage: urls, dataDir }: NodeConfig, opening: OpeningRecords): Promise<OpenedStorage> {
  const { clock, lifecycle, observer, state, signal } = opening;
  const parts = { dataDir, clock, random: systemRandom, observer, state };
  const exchanger = await openExchangeable({
    ...parts,
    urls,
    open: (each, upTo) => openStorages(each, { ...parts, signal: upTo }),
    naming: storageNaming(dataDir),
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
    migrate: (to, moving) => exchanger.migrate(absoluteUrls(to, dataDir), moving),
  };
  return { storage: exchanger.storage, storages };
}

/** Nobody but the program that made it knows how to open it again, so a start could not resume a migration. */
function given(storage: RegistryStorage): OpenedStorage {
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

interface OpeningTransport {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
}

/** When nobody chose the address and its port is taken, the next free one will do, and is said. */
async function openTransport(
  config: NodeConfig,
  identity: Identity,
  { clock, observer, constants }: OpeningTransport,
): Promise<Libp2pTransport> {
  const { listenIsDefault, announce, mode, limits } = config;
  // Nobody joins through a client: it listens only where it was told to.
  const listen = mode === 'client' && listenIsDefault ? [] : config.listen;
  const presets = listen.every(isLoopback) ? LOOPBACK_NETWORK_LIMITS : DEFAULT_NETWORK_LIMITS;
  const open = (addresses: readonly string[]) =>
    createLibp2pTransport({
      privateKey: identity.privateKey,
      listen: addresses,
      announce,
      constants,
      mode,
      clock,
      observer,
      limits: { ...presets, maxConnections: limits.maxConnections },
    });
  for (let attempt = 0; ; attempt++) {
    const addresses = attempt === 0 ? listen : listen.map((address) => laterPort(address, attempt));
    try {
      const transport = await open(addresses);
      if (attempt > 0) {
        const message = `${listen[0]} is taken: listening on ${addresses[0]} instead`;
        observer.notify({ type: 'warning', code: 'PORT_TAKEN', message });
      }
      return transport;
    } catch (error) {
      if (!listenIsDefault || attempt === PORTS_TRIED || !isNautilusError(error, 'PORT_TAKEN')) throw error;
    }
  }
}

function isLoopback(address: string): boolean {
  return /^\/(?:ip4\/127\.|ip6\/::1\/)/.test(address);
}

function laterPort(address: string, steps: number): string {
  return address.replace(/\d+$/, (port) => String(Number(port) + steps));
}

/** Addresses of the servers in the table, with `/p2p/…`. */
function dialable(kademlia: Kademlia): string[] {
  return kademlia.contacts().flatMap(({ addresses, publicKey }) => {
    const peerId = toPeerIdText(publicKey);
    return addresses.map((address) => `${address}/p2p/${peerId}`);
  });
}
