/**
 * What a node offers its commands, whoever calls them: the control socket, a one-shot client in the CLI, a library user. Values are bytes and
 * ids are text here; the JSON shapes of the CLI contract are made by the commands.
 */
import type { NodeMode } from '../kademlia/index.ts';
import type { GetResult, PutResult, QuorumChoice } from '../replication/index.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  /** @default 24 h */
  readonly ttlMs?: number | undefined;
  readonly quorum?: QuorumChoice | undefined;
  /** Fail with `DEGRADED` rather than store in a network that is much smaller than it was. @default false */
  readonly strict?: boolean | undefined;
}

export interface GetOptions extends CallOptions {
  readonly quorum?: QuorumChoice | undefined;
  /** Every publisher's live record, not just the newest. @default false */
  readonly all?: boolean | undefined;
  /** Write the newest back to a majority before it is returned. @default false */
  readonly stable?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions {
  readonly quorum?: QuorumChoice | undefined;
  readonly strict?: boolean | undefined;
}

export interface ListOptions extends CallOptions {
  /** Only keys that start with this text. */
  readonly prefix?: string | undefined;
  /** What this node published, wherever it is held, instead of what it holds. @default false */
  readonly own?: boolean | undefined;
}

export interface HeldSummary {
  readonly key: string;
  readonly publisher: string;
  readonly seq: number;
  readonly expiresAt: number;
  readonly bytes: number;
  /** How many live nodes this node knows to be closer to the key, plus one. */
  readonly rank: number;
}

export interface PeerSummary {
  readonly peerId: string;
  readonly nodeId: string;
  readonly addresses: readonly string[];
  /** Bucket index (common prefix length); null for a connected peer that is in no bucket. */
  readonly bucket: number | null;
  readonly rttMs: number | null;
  /** ms since the epoch; null if it never answered. */
  readonly lastSeen: number | null;
  readonly connected: boolean;
}

export interface LookupSummary {
  readonly target: string;
  readonly closest: readonly { readonly peerId: string; readonly nodeId: string }[];
  readonly hops: number;
  readonly requests: number;
  readonly elapsedMs: number;
}

export interface NodeStatus {
  readonly peerId: string;
  readonly mode: NodeMode;
  readonly network: string;
  readonly uptimeMs: number;
  /** Contacts in the routing table. */
  readonly peers: number;
  readonly records: number;
  readonly bytes: number;
  /** Estimate of the servers in the network, this one included. */
  readonly networkSize: number;
  readonly kEffective: number;
  readonly settled: boolean;
  readonly storage: readonly {
    /** Without password. */
    readonly url: string;
    readonly state: string;
    readonly records: number;
    readonly bytes: number;
  }[];
  readonly hotKeys: readonly HotKey[];
}

/** Asked for more than others in the last minute. */
export interface HotKey {
  /** Null when no record of it is held here. */
  readonly key: string | null;
  /** sha256 of the key, in hex. */
  readonly keyId: string;
  readonly calls: number;
}

export interface ShardSummary {
  readonly name: string;
  /** `up`, `down`, `probing`, `returning` (up, and being caught up with), `draining`, `drained` */
  readonly state: string;
  /** With what is left of deleted and expired ones. */
  readonly records: number;
  readonly bytes: number;
  /** Writes for it that wait on other storages. */
  readonly hints: number;
  readonly queueDepth: number;
  readonly lastError: string | null;
  /** ms since the epoch */
  readonly lastErrorAt: number | null;
  readonly weight: number;
  /** Of all keys, 0 to 1. */
  readonly share: number;
}

/** Of records that move from the storage in use, or a ring of them, to others. */
export interface MigrationProgress {
  readonly phase: 'copying' | 'verifying' | 'switched';
  /** As `--storage` takes them, but PASSWORD where one was. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Looked at in this phase, with what is left of deleted and expired ones. */
  readonly entries: number;
  /** As many were there when it began. */
  readonly total: number;
  /** Found to differ in this phase, and mended. */
  readonly differences: number;
}

export interface StorageStatus {
  /** Storages that keep each record. */
  readonly copies: number;
  /** Records are on their way from one storage to another. */
  readonly isMoving: boolean;
  /** Null when none is under way. */
  readonly migration: MigrationProgress | null;
  readonly shards: readonly ShardSummary[];
  readonly hotKeys: readonly HotKey[];
}

export interface NodeApi {
  id(): { readonly peerId: string; readonly nodeId: string };
  /** @throws NautilusError `KEY_INVALID`, `VALUE_TOO_LARGE`, `TTL_INVALID`, `QUORUM_NOT_REACHED` (details.result: PutResult), `CONFLICT`, `NO_PEERS` … */
  put(key: string, value: Uint8Array, options?: PutOptions): Promise<PutResult>;
  /** @throws NautilusError `NOT_FOUND`, `QUORUM_NOT_REACHED`, … */
  get(key: string, options?: GetOptions): Promise<GetResult>;
  delete(key: string, options?: DeleteOptions): Promise<PutResult>;
  /** Live records held here, or (`own`) published from here. */
  list(options?: ListOptions): AsyncIterable<HeldSummary>;
  peers(): readonly PeerSummary[];
  /** `peer`: a peer id, a node id in hex, or a multiaddr. */
  ping(peer: string, options?: CallOptions): Promise<{ readonly peerId: string; readonly rttMs: number }>;
  /** `target`: a key, a peer id or 64 hex digits. */
  lookup(target: string, options?: CallOptions): Promise<LookupSummary>;
  status(): Promise<NodeStatus>;
  /** Of each storage the node keeps records in; nothing for one that keeps none. */
  storageStatus(): Promise<StorageStatus>;
  /**
   * Moves everything off one of several storages, in the background: `storageStatus` tells when it is done.
   * @throws NautilusError `CONFIG_INVALID`, `CONFLICT`, `SHARD_DOWN`
   */
  drainStorage(name: string): Promise<void>;
  /**
   * Moves all records to another storage, or to several that make a ring, while serving, then serves from there; the last thing it says is
   * `switched`. To stop listening ends nothing: the same call again goes on listening.
   * @param to as `--storage` takes them; none of those in use
   * @throws NautilusError `CONFIG_INVALID`, `CONFLICT`; why the records stay where they are
   */
  migrateStorage(to: readonly string[], options?: CallOptions): AsyncIterable<MigrationProgress>;
  /** Begins the graceful stop; resolves when it is done. */
  stop(): Promise<void>;
}
