/**
 * Put: find the K closest, stamp and sign, STORE to all of them, finished at a majority. Whatever happens, the caller gets the receipt: a put
 * that misses its quorum fails with it, because some holder may have the record and a later get may see it.
 */
import { type Clock, NautilusError, type Observer } from '../core/index.ts';
import {
  type Contact,
  type LookupMembers,
  type LookupOptions,
  type LookupOutcome,
  NodeId,
  type NodeMode,
} from '../kademlia/index.ts';
import {
  type Key,
  type NetworkConstants,
  nextSeq,
  type RefusalReason,
  type SeqSources,
  type SignedRecord,
  type Signer,
  signRecord,
  toPeerIdText,
} from '../records/index.ts';
import { noHolders } from './get.ts';
import { createHolderSet, type HolderSet } from './holder-set.ts';
import type { KHistory } from './k-history.ts';
import type { Publications } from './publications.ts';
import { type QuorumChoice, writeQuorum } from './quorum.ts';
import type { PutResult } from './results.ts';
import type { SeenVersions } from './seen-versions.ts';
import { type StoreRoundComponents, type StoreRoundOutcome, storeOnHolders } from './store-round.ts';

export interface PutComponents extends StoreRoundComponents {
  readonly kademlia: StoreRoundComponents['kademlia'] & {
    readonly self: Contact;
    readonly mode: NodeMode;
    findClosest(target: NodeId, options?: LookupOptions): Promise<LookupOutcome>;
  };
  readonly signer: Signer;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
  readonly publications: Publications;
  readonly kHistory: KHistory;
  readonly seen: SeenVersions;
}

export interface PutInput {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly ttlMs: number;
  readonly quorum?: QuorumChoice | undefined;
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws NautilusError `TTL_INVALID`, `VALUE_TOO_LARGE`, `NOT_OWNER`, `VALUE_MISMATCH`, `NO_PEERS`, `DEGRADED`, `QUORUM_NOT_REACHED`, `CONFLICT`, `ABORTED` */
export async function putRecord(components: PutComponents, input: PutInput): Promise<PutResult> {
  const { kademlia, constants, clock } = components;
  const { key, value, ttlMs, signal } = input;
  if (value.length > constants.maxValueBytes) {
    throw new NautilusError(
      'VALUE_TOO_LARGE',
      `the value has ${value.length} bytes, the limit is ${constants.maxValueBytes}: split it`,
    );
  }
  if (!(ttlMs > 0 && ttlMs <= constants.maxTtlMs)) {
    throw new NautilusError(
      'TTL_INVALID',
      `the TTL must be over 0 and at most ${constants.maxTtlMs / 86_400_000} days`,
    );
  }
  const startedAt = clock.monotonic();
  const target = NodeId.fromBytes(key.id);
  const holdersAmong = ({ closest: found, pending, silent }: LookupMembers) => {
    const { self, mode } = kademlia;
    return createHolderSet({ target, k: constants.k, found, pending, silent, self, selfHolds: mode === 'server' });
  };
  // Once as many answered as must store it, all of the others have been named: they are sent the record without being asked who else is there.
  const isEnough = (found: LookupMembers) => {
    const { members, kEffective } = holdersAmong(found);
    const unheard = members.filter((member) => found.pending.includes(member)).length;
    return members.length - unheard >= Math.max(writeQuorum(kEffective), writeQuorum(kEffective, input.quorum));
  };
  const found = await kademlia.findClosest(target, { signal, isEnough });
  const { requests } = found;
  return publish(components, { ...input, deleted: false, holders: holdersAmong(found), requests, startedAt });
}

export interface Publishing extends PutInput {
  readonly deleted: boolean;
  readonly holders: HolderSet;
  /** Sent so far for this operation. */
  readonly requests: number;
  /** Monotonic, ms. */
  readonly startedAt: number;
}

/** Signs a record or tombstone and stores it on holders that were found; the caller serialises publishing per key. */
export async function publish(components: PutComponents, publishing: Publishing): Promise<PutResult> {
  const { publications, kHistory, clock, seen } = components;
  const { key, holders, quorum, strict, signal } = publishing;
  const { kEffective } = holders;
  if (holders.members.length === 0) throw noHolders();
  const { degraded } = await kHistory.observe(kEffective);
  if (degraded && strict) {
    throw new NautilusError(
      'DEGRADED',
      `only ${kEffective} holders are left of what was there in the last 24 h: nothing was stored (--strict)`,
    );
  }
  const wanted = writeQuorum(kEffective, quorum);
  const store = (record: SignedRecord) => storeOnHolders(components, record, holders, { wanted, signal });

  const published = await publications.get(key);
  const lastAcknowledged = published?.header.seq ?? 0;
  let record = await stamp(components, publishing, {
    lastAcknowledged,
    newestSeen: seen.newestSeq(key),
    nowMs: clock.now(),
  });
  let round = await store(record);
  let requests = publishing.requests + round.requests;
  const again = restamp(components, record, round);
  if (again !== undefined) {
    record = await stamp(components, publishing, { lastAcknowledged, ...again });
    round = await store(record);
    requests += round.requests;
  }

  const { receipt } = round;
  if (receipt.acked > 0) await publications.set({ header: record.header, sizeBytes: record.value.length, receipt });
  const result: PutResult = {
    key: key.text,
    seq: record.header.seq,
    publisher: toPeerIdText(record.header.publisher),
    expiresAt: record.header.expiresAt,
    receipt,
    degraded,
    requests,
    elapsedMs: clock.monotonic() - publishing.startedAt,
  };
  if (receipt.acked < wanted) throw quorumMissed(result);
  seen.add(record.header);
  return result;
}

function stamp(
  { signer, constants }: PutComponents,
  { key, value, ttlMs, deleted }: Publishing,
  sources: SeqSources,
): Promise<SignedRecord> {
  const seq = key.class === 'immutable' ? 0 : nextSeq(sources);
  return signRecord(signer, constants.network, {
    key,
    value,
    seq,
    expiresAt: Math.floor(sources.nowMs + ttlMs),
    deleted,
  });
}

const CLOCK_REFUSALS: ReadonlySet<string | null> = new Set<RefusalReason>([
  'FROM_THE_FUTURE',
  'EXPIRED',
  'TTL_TOO_LONG',
]);

/**
 * What the second and last stamp should start from; undefined when the first will do. A record that turned out older than another's is stamped
 * after it. A clock the holders refuse gives way to the median of theirs. What a holder merely claims to have seen may not push a seq further
 * than half the skew holders accept, so that one liar cannot make a put unacceptable to the others.
 */
function restamp(
  { clock, constants, observer }: PutComponents,
  { header }: SignedRecord,
  { receipt, newestSeqs, holderTimes }: StoreRoundOutcome,
): Omit<SeqSources, 'lastAcknowledged'> | undefined {
  if (holderTimes.length === 0) return undefined;
  const networkMs = median(holderTimes);
  const clockRefused =
    receipt.acked < receipt.wanted && receipt.holders.some((holder) => CLOCK_REFUSALS.has(holder.reason));
  const credible = (networkMs + constants.maxClockSkewMs / 2) * 1000;
  const newestSeen = newestSeqs.reduce((newest, seq) => (seq <= credible ? Math.max(newest, seq) : newest), 0);
  if (clockRefused) {
    const aheadSeconds = Math.round((clock.now() - networkMs) / 1000);
    const message = `this machine's clock is ${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} the network's: set it`;
    observer.notify({ type: 'warning', code: 'CLOCK_SKEW', message });
    return { newestSeen, nowMs: networkMs };
  }
  if (header.key.class === 'immutable' || newestSeen <= header.seq) return undefined;
  return { newestSeen, nowMs: clock.now() };
}

/** Lower median. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] as number;
}

function quorumMissed(result: PutResult): NautilusError {
  const { acked, wanted, holders } = result.receipt;
  const details = { result };
  const stale = holders.filter((holder) => holder.reason === ('STALE' satisfies RefusalReason)).length;
  if (stale > Math.max(0, holders.length - wanted)) {
    return new NautilusError(
      'CONFLICT',
      `a newer record of this identity is under "${result.key}": get it before putting again`,
      { details },
    );
  }
  const reasons = [...new Set(holders.flatMap((holder) => holder.reason ?? []))].join(', ');
  const why = holders.length < wanted ? 'the network has no more' : reasons;
  return new NautilusError(
    'QUORUM_NOT_REACHED',
    `stored on ${acked} of ${holders.length} holders, ${wanted} wanted (${why}): it may still be seen later, put it again`,
    { details },
  );
}
