/**
 * This node as a holder: what it does with records other nodes bring and with questions about them. Checks go from cheap to dear, so that a
 * flood costs little: sizes, class, clock, expiry, distance, quota, and only then hashing and the signature. Not here: which of two records
 * wins (`records`) and how they are kept (`registry`).
 */
import {
  BoundedMap,
  type Clock,
  isNautilusError,
  type Load,
  NautilusError,
  type Observer,
  TokenBucket,
  type TokenBucketInit,
} from '../core/index.ts';
import {
  type Contact,
  type FetchRequest,
  type FetchResponse,
  type FindValueRequest,
  type FindValueResponse,
  type HandOffRequest,
  type HandOffResponse,
  NodeId,
  type Peer,
  type RecordRequestHandler,
  type StoreRequest,
  type StoreResponse,
  type SyncRequest,
  type SyncResponse,
} from '../kademlia/index.ts';
import {
  bytesEqual,
  floorUntil,
  type HeldRecord,
  hashValue,
  isLive,
  type NetworkConstants,
  type RecordStore,
  type RefusalReason,
  toHex,
  type Verifier,
  validateHeader,
  verifyHeader,
} from '../records/index.ts';
import { answerFetch } from './answer-sync.ts';

export interface HolderComponents {
  readonly kademlia: {
    closest(target: NodeId, count: number, exclude?: NodeId): readonly Contact[];
    rank(target: NodeId): number;
  };
  /** Undefined on clients and bootstrap nodes: they keep no records. */
  readonly store: RecordStore | undefined;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
}

/** What a holder asks of the one who keeps its records whole (repair.ts). */
export interface Vouching {
  /** Whether this node may say that a key is absent. */
  isSettled(keyId: Uint8Array): boolean;
  answerSync(from: Contact, request: SyncRequest): Promise<SyncResponse>;
  /** Records that were not here came from it. */
  onHandedOff(from: Contact, keyIds: readonly Uint8Array[]): void;
}

export interface HolderInit {
  /** STOREs one peer may send. @default 2,000 a second, 4,000 at once */
  readonly storesPerPeer: TokenBucketInit;
  /** STOREs of one publisher's records, over all peers. @default 2,000 a second, 4,000 at once */
  readonly storesPerPublisher: TokenBucketInit;
  /**
   * Records whose value or signature is wrong, per peer: after that none of its records is looked at for a while. Nobody passes on what it has
   * not verified, so honest peers have none of these; forging one is free, finding out costs a verification. @default 1 a second, 16 at once
   */
  readonly forgeriesPerPeer: TokenBucketInit;
}

const DEFAULT_INIT: HolderInit = {
  storesPerPeer: { perSecond: 2_000, burst: 4_000 },
  storesPerPublisher: { perSecond: 2_000, burst: 4_000 },
  forgeriesPerPeer: { perSecond: 1, burst: 16 },
};

interface PeerQuota {
  readonly stores: TokenBucket;
  readonly forgeries: TokenBucket;
}

const MAX_QUOTAS = 4_096;

export class Holder implements RecordRequestHandler {
  readonly #components: HolderComponents;
  readonly #init: HolderInit;
  // BOUNDED: MAX_QUOTAS each; a forgotten peer starts with a full bucket again.
  readonly #peerQuotas = new BoundedMap<string, PeerQuota>(MAX_QUOTAS);
  readonly #publisherQuotas = new BoundedMap<string, TokenBucket>(MAX_QUOTAS);
  #vouching: Vouching | undefined;

  constructor(components: HolderComponents, init: Partial<HolderInit> = {}) {
    this.#components = components;
    this.#init = { ...DEFAULT_INIT, ...init };
  }

  /** From then on it knows what it may vouch for; before, and where no records are kept, it vouches for nothing. */
  vouchBy(vouching: Vouching): void {
    this.#vouching = vouching;
  }

  /** Peers and publishers whose quotas are remembered. */
  get loads(): { readonly peerQuotas: Load; readonly publisherQuotas: Load } {
    return {
      peerQuotas: { size: this.#peerQuotas.size, limit: MAX_QUOTAS },
      publisherQuotas: { size: this.#publisherQuotas.size, limit: MAX_QUOTAS },
    };
  }

  async store(from: Peer, { record }: StoreRequest): Promise<StoreResponse> {
    const refusal =
      record.header.expiresAt <= this.#components.clock.now() ? 'EXPIRED' : await this.#refuse(from.contact, record);
    return refusal === undefined ? this.storeVerified(record) : this.#refused(record, refusal, 0);
  }

  sync(from: Peer, request: SyncRequest): Promise<SyncResponse> {
    if (this.#vouching === undefined) throw notStoring();
    return this.#vouching.answerSync(from.contact, request);
  }

  async fetch(_from: Peer, request: FetchRequest): Promise<FetchResponse> {
    const { store } = this.#components;
    if (store === undefined) throw notStoring();
    return answerFetch(store, request);
  }

  async handOff(from: Peer, { records }: HandOffRequest): Promise<HandOffResponse> {
    const readable = records.filter((record) => typeof record !== 'string');
    const outcomes = (await this.takeIn(from.contact, readable)).values();
    const refusals = records.map((record) => (typeof record === 'string' ? record : outcomes.next().value));
    const taken = records.flatMap((record, i) =>
      typeof record === 'string' || refusals[i] !== undefined ? [] : [record.header.key.id],
    );
    if (taken.length > 0) this.#vouching?.onHandedOff(from.contact, taken);
    return { type: 'HAND_OFF', refusals };
  }

  /** Copies from another holder, handed over or fetched: checked as any record, but expired headers are welcome, as floors. */
  takeIn(from: Contact, records: readonly HeldRecord[]): Promise<readonly (RefusalReason | undefined)[]> {
    return Promise.all(
      records.map(async (record) => {
        const refusal = this.#refuseFloor(record) ?? (await this.#refuse(from, record));
        if (refusal !== undefined) return this.#notifyRefusal(record, refusal);
        const { outcome } = await this.storeVerified(record);
        return outcome.kind === 'stored' ? undefined : outcome.reason;
      }),
    );
  }

  /** For records whose signature is known to be good: this node's own, and those a get has verified. */
  async storeVerified(record: HeldRecord): Promise<StoreResponse> {
    const { store, clock, observer } = this.#components;
    if (store === undefined) return this.#refused(record, 'NOT_STORING', 0);
    try {
      const outcome = await store.merge(record);
      if (outcome.kind === 'refused') return this.#refused(record, outcome.reason, outcome.newestSeq);
      const { key, deleted } = record.header;
      observer.notify({ type: 'record-stored', key: key.text, deleted });
      return {
        type: 'STORE',
        outcome: { kind: 'stored', until: outcome.until },
        newestSeq: outcome.newestSeq,
        time: clock.now(),
      };
    } catch (error) {
      if (isNautilusError(error, 'RESOURCE_EXHAUSTED')) return this.#refused(record, 'QUOTA_EXCEEDED', 0);
      if (isNautilusError(error, 'DISK_FULL')) return this.#refused(record, 'STORE_FULL', 0);
      if (isNautilusError(error)) return this.#refused(record, 'STORAGE_FAILED', 0);
      throw error;
    }
  }

  async findValue(from: Peer, request: FindValueRequest): Promise<FindValueResponse> {
    const { kademlia, constants, store } = this.#components;
    const wasSettled = this.isSettled(request.keyId);
    const closer = kademlia.closest(NodeId.fromBytes(request.keyId), constants.k, from.contact.id);
    const found = await this.readHeld(request.keyId);
    const held = found ?? [];
    // Both before and after: a part of the store may have gone, or come back, in between.
    const settled = found !== undefined && wasSettled && this.isSettled(request.keyId);
    const valueIndex = indexOfValue(held, request.value, this.#components.clock.now());
    const bytes = held[valueIndex]?.value;
    return {
      type: 'FIND_VALUE',
      closer,
      headers: held.map((record) => record.header),
      value: bytes === undefined ? undefined : { valueIndex, bytes },
      settled,
      holder: store !== undefined,
    };
  }

  /**
   * What this node itself holds under a key; nothing when it keeps no records. Undefined: the store, or the part of it that would have them, cannot
   * be read. Then this node knows nothing of the key, and others do.
   */
  async readHeld(keyId: Uint8Array): Promise<readonly HeldRecord[] | undefined> {
    try {
      return (await this.#components.store?.read(keyId)) ?? [];
    } catch (error) {
      if (isNautilusError(error)) return undefined; // the storage has told, or its shard has
      throw error;
    }
  }

  /** Whether what this node says of a key counts towards a read quorum. */
  isSettled(keyId: Uint8Array): boolean {
    const { store } = this.#components;
    return store?.isWhole(keyId) === true && this.#vouching?.isSettled(keyId) === true;
  }

  /** Cheap checks first; undefined when the record may be stored. */
  async #refuse(from: Contact, record: HeldRecord): Promise<RefusalReason | undefined> {
    const quota = this.#quotaOf(from);
    const cheap = this.#refuseUnchecked(record) ?? this.#spendQuotas(quota, record.header.publisher);
    if (cheap !== undefined) return cheap;
    const dear = await this.#refuseUnverified(record);
    if (dear !== undefined && FORGERIES.has(dear)) quota.forgeries.trySpend();
    return dear;
  }

  /** A header that is no longer live is worth keeping only while something older may be alive. */
  #refuseFloor({ header }: HeldRecord): RefusalReason | undefined {
    const { clock, constants } = this.#components;
    return floorUntil(header, constants) <= clock.now() ? 'EXPIRED' : undefined;
  }

  #refuseUnchecked(record: HeldRecord): RefusalReason | undefined {
    const { store, kademlia, constants, clock } = this.#components;
    const { header, value } = record;
    if (store === undefined) return 'NOT_STORING';
    if (value !== undefined && value.length > constants.maxValueBytes) return 'TOO_LARGE';
    const reason = validateHeader(header, clock.now(), constants);
    if (reason !== undefined) return reason;
    if (header.deleted && value !== undefined && value.length > 0) return 'MALFORMED';
    return kademlia.rank(NodeId.fromBytes(header.key.id)) > 2 * constants.k ? 'TOO_FAR' : undefined;
  }

  async #refuseUnverified({ header, value }: HeldRecord): Promise<RefusalReason | undefined> {
    const { verifier, constants } = this.#components;
    if (value !== undefined && !bytesEqual(hashValue(value), header.valueHash)) return 'VALUE_MISMATCH';
    try {
      return (await verifyHeader(verifier, constants.network, header)) ? undefined : 'BAD_SIGNATURE';
    } catch (error) {
      if (isNautilusError(error, 'RESOURCE_EXHAUSTED')) return 'QUOTA_EXCEEDED';
      throw error;
    }
  }

  #quotaOf(from: Contact): PeerQuota {
    const peer = from.id.hex;
    const known = this.#peerQuotas.get(peer);
    if (known !== undefined) return known;
    const { clock } = this.#components;
    const { storesPerPeer, forgeriesPerPeer } = this.#init;
    const stores = new TokenBucket(clock, storesPerPeer);
    const quota = { stores, forgeries: new TokenBucket(clock, forgeriesPerPeer) };
    this.#peerQuotas.set(peer, quota);
    return quota;
  }

  #spendQuotas({ stores, forgeries }: PeerQuota, publisher: Uint8Array): RefusalReason | undefined {
    if (forgeries.isEmpty || !stores.trySpend()) return 'QUOTA_EXCEEDED';
    const author = toHex(publisher);
    let ofPublisher = this.#publisherQuotas.get(author);
    if (ofPublisher === undefined) {
      ofPublisher = new TokenBucket(this.#components.clock, this.#init.storesPerPublisher);
      this.#publisherQuotas.set(author, ofPublisher);
    }
    return ofPublisher.trySpend() ? undefined : 'QUOTA_EXCEEDED';
  }

  #refused(record: HeldRecord, reason: RefusalReason, newestSeq: number): StoreResponse {
    this.#notifyRefusal(record, reason);
    return { type: 'STORE', outcome: { kind: 'refused', reason }, newestSeq, time: this.#components.clock.now() };
  }

  #notifyRefusal({ header }: HeldRecord, reason: RefusalReason): RefusalReason {
    this.#components.observer.notify({ type: 'record-refused', key: header.key.text, reason });
    return reason;
  }
}

function notStoring(): NautilusError {
  return new NautilusError('UNSUPPORTED', 'this node keeps no records: ask a server');
}

const FORGERIES: ReadonlySet<RefusalReason> = new Set(['BAD_SIGNATURE', 'VALUE_MISMATCH']);

/** -1 when no value was asked for or the one asked for is not live here. */
function indexOfValue(held: readonly HeldRecord[], wanted: FindValueRequest['value'], now: number): number {
  if (wanted === 'none') return -1;
  let newest = -1;
  held.forEach(({ header }, index) => {
    if (!isLive(header, now)) return;
    if (wanted !== 'newest' && !bytesEqual(wanted.publisher, header.publisher)) return;
    if (newest === -1 || header.seq > (held[newest] as HeldRecord).header.seq) newest = index;
  });
  return newest;
}
