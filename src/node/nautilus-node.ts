/**
 * A running node: every operation of NodeApi over the parts that create-node put together. Text and defaults become protocol terms here; the
 * protocol itself is in the rooms below.
 */
import type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeldSummary,
  HotKey,
  ListOptions,
  LookupSummary,
  MigrationProgress,
  NodeApi,
  NodeStatus,
  PeerSummary,
  PutOptions,
  StorageStatus,
} from '../commands/index.ts';
import { type Clock, isNautilusError, NautilusError } from '../core/index.ts';
import { type Contact, commonPrefixLength, compareDistance, type Kademlia, NodeId } from '../kademlia/index.ts';
import {
  DEFAULT_TTL_MS,
  isLive,
  KEY_ID_BYTES,
  type Key,
  type NetworkConstants,
  parseKey,
  parsePeerIdText,
  type RecordHeader,
  type RecordStore,
  toHex,
  toPeerIdText,
} from '../records/index.ts';
import type { GetResult, PutResult, Replication } from '../replication/index.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface ReadyInfo {
  readonly peerId: string;
  readonly nodeId: string;
  /** Multiaddrs others can dial, with `/p2p/<peerId>`. */
  readonly addresses: readonly string[];
  readonly dataDir: string;
  readonly mode: Kademlia['mode'];
  readonly network: string;
}

/** What the records are kept in, now; another one after a migration. */
export interface Storages {
  readonly current: CurrentStorages;
  /** Of the migration under way. */
  readonly progress: MigrationProgress | undefined;
  migrate(to: readonly string[], options: CallOptions): AsyncIterable<MigrationProgress>;
}

interface CurrentStorages {
  /** For people: no passwords. */
  readonly names: readonly string[];
  /** Undefined when there is only one. */
  readonly ring: { status(): Promise<RingStatus>; drain(name: string): Promise<void> } | undefined;
}

type RingStatus = Omit<StorageStatus, 'hotKeys' | 'migration'> & {
  /** The first bytes of the keys, one character each: for a record, its key's id. */
  readonly hotKeys: readonly { readonly group: string; readonly calls: number }[];
};

export interface NautilusNodeComponents {
  readonly kademlia: Kademlia;
  readonly replication: Replication;
  readonly bootstrapper: {
    firstAttempt(options?: CallOptions): Promise<'joined' | 'nobody'>;
    whenJoined(options?: CallOptions): Promise<void>;
  };
  /** Undefined on clients and bootstrap nodes. */
  readonly store: RecordStore | undefined;
  /** Undefined on those nodes too. */
  readonly storages: Storages | undefined;
  readonly clock: Clock;
  readonly constants: NetworkConstants;
  readonly lifecycle: Lifecycle;
  readonly dataDir: string;
}

export class NautilusNode implements NodeApi {
  /** Resolves when the node has stopped, whoever asked for it. */
  readonly closed: Promise<void>;
  readonly #components: NautilusNodeComponents;
  readonly #startedAt: number;
  #resolveClosed: () => void = () => undefined;

  constructor(components: NautilusNodeComponents) {
    this.#components = components;
    this.#startedAt = components.clock.monotonic();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /**
   * For callers that can do nothing alone: resolves once this node knows somebody.
   * @throws NautilusError `NO_PEERS` when every source was asked once and nobody answered; the signal's reason
   */
  async connected(options: CallOptions = {}): Promise<void> {
    if ((await this.#components.bootstrapper.firstAttempt(options)) === 'joined') return;
    throw new NautilusError(
      'NO_PEERS',
      'nobody answered at the --bootstrap addresses: check them, or that a node runs there',
    );
  }

  /**
   * For callers that will wait for better times: resolves once somebody answered and the first look around is done, which may be never.
   * @throws the signal's reason; NautilusError `ABORTED` when the node is stopped first
   */
  joined(options: CallOptions = {}): Promise<void> {
    return this.#components.bootstrapper.whenJoined(options);
  }

  get ready(): ReadyInfo {
    const { kademlia, constants, dataDir } = this.#components;
    const { peerId, nodeId } = this.id();
    const addresses = kademlia.self.addresses.map((address) => `${address}/p2p/${peerId}`);
    return { peerId, nodeId, addresses, dataDir, mode: kademlia.mode, network: constants.network };
  }

  id(): { readonly peerId: string; readonly nodeId: string } {
    const { self } = this.#components.kademlia;
    return { peerId: toPeerIdText(self.publicKey), nodeId: self.id.hex };
  }

  async put(
    key: string,
    value: Uint8Array,
    { ttlMs = DEFAULT_TTL_MS, ...options }: PutOptions = {},
  ): Promise<PutResult> {
    const input = { ...options, key: this.#parseKey(key), value, ttlMs };
    await this.#firstAttempt(options);
    return this.#components.replication.put(input);
  }

  async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    const input = { ...options, key: this.#parseKey(key) };
    await this.#firstAttempt(options);
    return this.#components.replication.get(input);
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<PutResult> {
    const input = { ...options, key: this.#parseKey(key) };
    await this.#firstAttempt(options);
    return this.#components.replication.delete(input);
  }

  async *list({ prefix = '', own = false, signal }: ListOptions = {}): AsyncIterable<HeldSummary> {
    const { store, replication, clock } = this.#components;
    if (own) {
      for await (const { header, sizeBytes } of replication.publications()) {
        signal?.throwIfAborted();
        if (header.key.text.startsWith(prefix) && isLive(header, clock.now())) yield this.#summarize(header, sizeBytes);
      }
    } else if (store !== undefined) {
      for await (const { header, value } of store.scan({ prefix, signal })) yield this.#summarize(header, value.length);
    }
  }

  peers(): readonly PeerSummary[] {
    const { kademlia } = this.#components;
    const connected = kademlia.peers().map((peer) => peer.contact);
    const connectedIds = new Set(connected.map((contact) => contact.id.hex));
    const inTable = kademlia.contacts();
    const inTableIds = new Set(inTable.map((contact) => contact.id.hex));
    const describe = (contact: Contact): PeerSummary => ({
      peerId: toPeerIdText(contact.publicKey),
      nodeId: contact.id.hex,
      addresses: contact.addresses,
      bucket: inTableIds.has(contact.id.hex) ? commonPrefixLength(kademlia.self.id, contact.id) : null,
      rttMs: kademlia.rttMs(contact.id) ?? null,
      lastSeen: kademlia.lastSeen(contact.id) ?? null,
      connected: connectedIds.has(contact.id.hex),
    });
    return [...inTable, ...connected.filter((contact) => !inTableIds.has(contact.id.hex))].map(describe);
  }

  async ping(peer: string, { signal }: CallOptions = {}): Promise<{ readonly peerId: string; readonly rttMs: number }> {
    const contact = await this.#findPeer(peer, signal);
    const rttMs = await this.#components.kademlia.ping(contact, { signal });
    return { peerId: toPeerIdText(contact.publicKey), rttMs };
  }

  /** This node is in the answer where it belongs: it holds records like any other server. */
  async lookup(target: string, { signal }: CallOptions = {}): Promise<LookupSummary> {
    const { kademlia, constants } = this.#components;
    const id = this.#parseTarget(target);
    const { closest, hops, requests, elapsedMs } = await kademlia.findClosest(id, { signal });
    const servers = kademlia.mode === 'server' ? [...closest, kademlia.self] : [...closest];
    const nearest = servers.sort((a, b) => compareDistance(id, a.id, b.id)).slice(0, constants.k);
    const described = nearest.map((contact) => ({ peerId: toPeerIdText(contact.publicKey), nodeId: contact.id.hex }));
    return { target: id.hex, closest: described, hops, requests, elapsedMs };
  }

  async status(): Promise<NodeStatus> {
    const { kademlia, replication, store, constants, clock } = this.#components;
    const { shards, hotKeys } = await this.storageStatus();
    const { records, bytes } = store?.size() ?? { records: 0, bytes: 0 };
    const networkSize = kademlia.networkSize();
    return {
      peerId: this.id().peerId,
      mode: kademlia.mode,
      network: constants.network,
      uptimeMs: clock.monotonic() - this.#startedAt,
      peers: kademlia.table.size,
      records,
      bytes,
      networkSize,
      kEffective: Math.min(constants.k, networkSize),
      settled: replication.isSettled,
      storage: shards.map((shard) => ({
        url: shard.name,
        state: shard.state,
        records: shard.records,
        bytes: shard.bytes,
      })),
      hotKeys,
    };
  }

  async storageStatus(): Promise<StorageStatus> {
    const { store, storages } = this.#components;
    if (store === undefined || storages === undefined) {
      return { copies: 0, isMoving: false, migration: null, shards: [], hotKeys: [] };
    }
    const { ring, names } = storages.current;
    const migration = storages.progress ?? null;
    if (ring === undefined) {
      const one = { state: 'up', hints: 0, queueDepth: 0, lastError: null, lastErrorAt: null, weight: 1, share: 1 };
      const shards = names.map((name) => ({ name, ...store.size(), ...one }));
      return { copies: 1, isMoving: false, migration, shards, hotKeys: [] };
    }
    const { hotKeys, ...status } = await ring.status();
    const hottest = await Promise.all(hotKeys.map(({ group, calls }) => this.#describeHotKey(store, group, calls)));
    return { ...status, migration, hotKeys: hottest.flatMap((hot) => hot ?? []) };
  }

  async drainStorage(name: string): Promise<void> {
    const ring = this.#components.storages?.current.ring;
    if (ring === undefined) {
      throw new NautilusError('CONFIG_INVALID', 'there is only one storage: start with another one beside it first');
    }
    await ring.drain(name);
  }

  migrateStorage(to: readonly string[], options: CallOptions = {}): AsyncIterable<MigrationProgress> {
    const { storages } = this.#components;
    if (storages === undefined) {
      throw new NautilusError('CONFIG_INVALID', 'this node keeps no records: migrate the storage of one that does');
    }
    return storages.migrate(to, options);
  }

  async stop(): Promise<void> {
    await this.#components.lifecycle.close();
    this.#resolveClosed();
  }

  /** Whoever has met nobody yet takes itself for the whole network, where it stores alone and finds nothing: until every source was asked once, it waits. */
  async #firstAttempt(options: CallOptions): Promise<void> {
    await this.#components.bootstrapper.firstAttempt(options);
  }

  async #describeHotKey(store: RecordStore, group: string, calls: number): Promise<HotKey | undefined> {
    const keyId = Uint8Array.from(group, (character) => character.charCodeAt(0));
    // What the store keeps beside records.
    if (keyId.length !== KEY_ID_BYTES) return undefined;
    try {
      const [held] = await store.read(keyId);
      return { key: held?.header.key.text ?? null, keyId: toHex(keyId), calls };
    } catch (error) {
      if (isNautilusError(error)) return { key: null, keyId: toHex(keyId), calls }; // on a storage that is down
      throw error;
    }
  }

  #parseKey(text: string): Key {
    return parseKey(text, this.#components.constants.maxKeyBytes);
  }

  #summarize(header: RecordHeader, bytes: number): HeldSummary {
    return {
      key: header.key.text,
      publisher: toPeerIdText(header.publisher),
      seq: header.seq,
      expiresAt: header.expiresAt,
      bytes,
      rank: this.#components.kademlia.rank(NodeId.fromBytes(header.key.id)),
    };
  }

  /** By multiaddr (dialled), or by peer id or node id: known already, or found by a lookup. */
  async #findPeer(peer: string, signal: AbortSignal | undefined): Promise<Contact> {
    const { kademlia } = this.#components;
    if (peer.startsWith('/')) return (await kademlia.connect(peer, { signal })).contact;
    const id = parseNodeId(peer);
    if (id === undefined) {
      throw new NautilusError(
        'PEER_INVALID',
        `"${peer}" is no peer: give a peer id (12D3KooW…), a node id (64 hex digits) or a multiaddr (/ip4/…)`,
      );
    }
    const known = kademlia.peers().find(({ contact }) => contact.id.equals(id))?.contact ?? kademlia.closest(id, 1)[0];
    if (known?.id.equals(id)) return known;
    const found = (await kademlia.findClosest(id, { signal })).closest[0];
    if (found?.id.equals(id)) return found;
    throw new NautilusError(
      'PEER_UNREACHABLE',
      `${peer} is not in this network, or down: "nautilus peers" shows who is known`,
    );
  }

  /** A peer id or node id stands for a place in the key space; anything else is a key. */
  #parseTarget(target: string): NodeId {
    return parseNodeId(target) ?? NodeId.fromBytes(this.#parseKey(target).id);
  }
}

const NODE_ID_PATTERN = /^[0-9a-f]{64}$/i;

function parseNodeId(text: string): NodeId | undefined {
  if (NODE_ID_PATTERN.test(text)) return NodeId.fromHex(text.toLowerCase());
  try {
    return NodeId.fromPublicKey(parsePeerIdText(text));
  } catch (error) {
    if (isNautilusError(error, 'PEER_INVALID')) return undefined;
    throw error;
  }
}
