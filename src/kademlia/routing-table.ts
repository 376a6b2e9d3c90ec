/**
 * Who this node knows: K-buckets by common prefix length with its own id (Kademlia paper §2.2, §2.4). Operations return outcomes, the caller
 * talks to the network. Only contacts whose handshake proved their id and whose HELLO said "server" belong in here: that is the caller's duty.
 *
 * One fact makes most of it cheap: bucket j holds the ids that first differ from ours at bit j. So seen from any target, whole buckets are
 * nearer or farther than we are: nearer exactly when bit j of `self xor target` is 1.
 */
import { assert, type Load } from '../core/index.ts';
import { addressGroups } from './address.ts';
import { type Contact, sameAddresses } from './contact.ts';
import { commonPrefixLength, compareDistance } from './distance.ts';
import { GroupLimits, type GroupLimitsInit } from './group-limits.ts';
import { KBucket, type KBucketInit, newEntry, type TableEntry } from './k-bucket.ts';
import { LostContacts } from './lost-contacts.ts';
import { FAR_CONTACTS, hasMany, type NeighbourhoodDepth, neighbourhoodDepth } from './neighbourhood-depth.ts';
import { estimateOthers } from './network-size.ts';
import type { NodeId } from './node-id.ts';
import {
  type FailureOutcome,
  INSERTED,
  type InsertOutcome,
  KEPT,
  REJECTED_BY_GROUP,
  UNKNOWN,
  UPDATED,
} from './table-outcome.ts';

export interface RoutingTableInit extends GroupLimitsInit {
  readonly self: NodeId;
  readonly k: number;
  /** Unanswered requests in a row after which a contact has lost its place. @default 2 */
  readonly maxFailures?: number;
}

export interface Neighbourhood {
  /** Everybody trusted who shares at least `depth` leading bits with this node. */
  readonly contacts: readonly Contact[];
  /** See neighbourhood-depth.ts. 0: everybody known. */
  readonly depth: number;
}

/** What follows from who is known, as of a revision. */
interface Surroundings extends NeighbourhoodDepth {
  readonly revision: number;
  readonly others: number;
}

/**
 * Places of the nearest buckets, times K. The first bucket that makes K nodes together with those nearer than it has more than K when ids
 * lie unevenly, and all of them must know each other: of uniform ids 3 K are exceeded less than once in a million.
 */
const NEAR_FACTOR = 3;
/** Lost contacts remembered, times K. */
const LOST_FACTOR = 8;

export class RoutingTable {
  readonly self: NodeId;
  readonly k: number;
  readonly #maxFailures: number;
  readonly #groups: GroupLimits;
  readonly #bucketInit: KBucketInit;
  // BOUNDED: one per bit of an id, up to the last that is not empty; those between are made when somebody lives there.
  readonly #buckets: (KBucket | undefined)[] = [];
  // BOUNDED: as the buckets: everybody with a place, by hex id.
  readonly #places = new Map<string, TableEntry>();
  readonly #lost: LostContacts;
  #doubtful = 0;
  #revision = 0;
  #surroundings: Surroundings | undefined;
  /** Signs of life of anybody: without one, failures say more about our own network than about the others. */
  #answers = 0;

  constructor(init: RoutingTableInit) {
    const { self, k, maxFailures = 2 } = init;
    this.self = self;
    this.k = k;
    this.#groups = new GroupLimits(init);
    this.#lost = new LostContacts(LOST_FACTOR * k);
    this.#maxFailures = maxFailures;
    this.#bucketInit = { capacityOf: (index) => this.#capacityOf(index), maxReplacements: k };
  }

  get #idBits(): number {
    return this.self.bytes.length * 8;
  }

  /** Contacts that are not in doubt. 0 means: nobody is known to be there. */
  get size(): number {
    return this.#places.size - this.#doubtful;
  }

  /** Another number whenever `neighbourhood()` may be another. */
  get revision(): number {
    return this.#revision;
  }

  /** A contact answered, or asked us something. */
  insert(contact: Contact, seenAt: number): InsertOutcome {
    const index = this.bucketIndex(contact.id);
    if (index === this.#idBits) return { kind: 'rejected', reason: 'self' };
    this.#answers++;
    const bucket = this.#bucketAt(index);
    const known = this.#places.get(contact.id.hex);
    if (known !== undefined) {
      this.#clearFailures(bucket, known);
      if (!sameAddresses(known.contact, contact)) this.#changeAddresses(bucket, known, contact);
      known.seenAt = seenAt;
      bucket.touch(known);
      return UPDATED;
    }
    this.#lost.delete(contact.id); // who has a place is not lost
    const waiting = bucket.takeWaiting(contact.id);
    if (waiting === undefined || !sameAddresses(waiting.contact, contact)) {
      return this.#admit(bucket, newEntry(contact, addressGroups(contact.addresses), seenAt));
    }
    waiting.seenAt = seenAt;
    return this.#admit(bucket, waiting);
  }

  /** Takes back a contact of an earlier run, in doubt until it answers. Full buckets and groups refuse it. */
  restore(contact: Contact, seenAt: number): boolean {
    const index = this.bucketIndex(contact.id);
    if (index === this.#idBits) return false;
    const bucket = this.#bucketAt(index);
    const entry = newEntry(contact, addressGroups(contact.addresses), seenAt);
    if (bucket.isFull || this.#places.has(contact.id.hex) || !this.#groups.hasRoom(bucket, entry.groups)) return false;
    entry.failures = this.#maxFailures;
    this.#place(bucket, entry);
    bucket.mayHideOthers = true;
    return true;
  }

  /**
   * A contact did not answer. It is removed after `maxFailures` in a row, unless nobody else gave a sign of life meanwhile: a node that lost
   * its own network must not forget everybody. Such contacts are in doubt: not in `size`, not told, asked only when there is no one else.
   */
  failed(id: NodeId): FailureOutcome {
    const bucket = this.#buckets[this.bucketIndex(id)];
    const entry = this.#places.get(id.hex);
    if (bucket === undefined || entry === undefined) return UNKNOWN;
    if (entry.failures === 0) entry.answersBeforeFailures = this.#answers;
    entry.failures++;
    if (entry.failures === this.#maxFailures) this.#countDoubtful(bucket, 1);
    if (entry.failures < this.#maxFailures || this.#answers === entry.answersBeforeFailures) return KEPT;
    this.#lost.add(entry.contact);
    this.#displace(bucket, entry);
    return { kind: 'removed', promoted: this.#promote() };
  }

  /** A contact did not answer the ping that decides: somebody else waits for its place. */
  evict(id: NodeId): FailureOutcome {
    const evicted = this.get(id);
    const outcome = this.remove(id);
    if (evicted !== undefined) this.#lost.add(evicted);
    return outcome;
  }

  /** Takes a contact out for good (it said goodbye, or is no server any more) and promotes a replacement. */
  remove(id: NodeId): FailureOutcome {
    const bucket = this.#buckets[this.bucketIndex(id)];
    bucket?.takeWaiting(id);
    this.#lost.delete(id);
    const entry = this.#places.get(id.hex);
    if (bucket === undefined || entry === undefined) return UNKNOWN;
    this.#displace(bucket, entry);
    return { kind: 'removed', promoted: this.#promote() };
  }

  /** The `count` contacts nearest to `target`, nearest first; those in doubt only when nobody else is known. */
  closest(target: NodeId, count: number, exclude?: NodeId): Contact[] {
    const found: Contact[] = [];
    const depth = this.#buckets.length;
    for (let j = 0; j < depth && found.length < count; j++) {
      if (this.#isNearerSide(target, j)) this.#collect(j, target, exclude, found);
    }
    for (let j = depth - 1; j >= 0 && found.length < count; j--) {
      if (!this.#isNearerSide(target, j)) this.#collect(j, target, exclude, found);
    }
    if (found.length > count) found.length = count;
    return found;
  }

  /** How many known contacts are nearer to `target` than this node. */
  countNearer(target: NodeId): number {
    let nearer = 0;
    for (let j = 0; j < this.#buckets.length; j++) {
      const bucket = this.#buckets[j];
      if (bucket !== undefined && this.#isNearerSide(target, j)) nearer += this.#trusted(bucket);
    }
    return nearer;
  }

  get(id: NodeId): Contact | undefined {
    return this.#places.get(id.hex)?.contact;
  }

  /** ms since the epoch; undefined for a stranger. */
  lastSeen(id: NodeId): number | undefined {
    return this.#places.get(id.hex)?.seenAt;
  }

  /** Requests in a row that a contact did not answer; 0 for a stranger. */
  failures(id: NodeId): number {
    return this.#places.get(id.hex)?.failures ?? 0;
  }

  /** Contacts of one bucket that are not in doubt, least recently seen first. */
  bucket(index: number): Contact[] {
    const entries = this.#buckets[index]?.entries ?? [];
    return entries.filter((entry) => !this.#isDoubtful(entry)).map(({ contact }) => contact);
  }

  /** Everybody with a place, by bucket, least recently seen first. */
  *entries(): IterableIterator<Readonly<TableEntry>> {
    for (let j = 0; j < this.#buckets.length; j++) {
      const bucket = this.#buckets[j];
      if (bucket !== undefined) yield* bucket.entries;
    }
  }

  /** Contacts in doubt and contacts that lost their place: worth a ping now and then, so that a healed partition is noticed. */
  missing(): Contact[] {
    const missing = this.#lost.values();
    for (const entry of this.entries()) {
      if (this.#isDoubtful(entry)) missing.push(entry.contact);
    }
    return missing;
  }

  /** Who waits for a place of the bucket where most do, and who is remembered after losing one. */
  get loads(): { readonly waiting: Load; readonly lost: Load } {
    let waiting: Load = { size: 0, limit: this.k };
    for (let j = 0; j < this.#buckets.length; j++) {
      const inBucket = this.#buckets[j]?.waiting;
      if (inBucket !== undefined && inBucket.size > waiting.size) waiting = inBucket;
    }
    return { waiting, lost: this.#lost.load };
  }

  /**
   * Contacts of the part of the id space around this node that it may claim to know completely.
   * @param reach leading bits: contacts that share at least so many are named as well
   */
  neighbourhood(reach = Number.POSITIVE_INFINITY): Neighbourhood {
    const depth = this.neighbourhoodDepth();
    const contacts: Contact[] = [];
    for (let j = Math.min(depth, reach); j < this.#buckets.length; j++) {
      for (const entry of this.#buckets[j]?.entries ?? []) if (!this.#isDoubtful(entry)) contacts.push(entry.contact);
    }
    return { contacts, depth };
  }

  /** The one at this share, 0 … 1, of `neighbourhood().contacts`; undefined when there is none. */
  neighbourAt(share: number): Contact | undefined {
    const depth = this.neighbourhoodDepth();
    let count = 0;
    for (let j = depth; j < this.#buckets.length; j++) {
      const bucket = this.#buckets[j];
      if (bucket !== undefined) count += this.#trusted(bucket);
    }
    let index = Math.floor(share * count);
    for (let j = depth; j < this.#buckets.length; j++) {
      const bucket = this.#buckets[j];
      if (bucket === undefined) continue;
      const trusted = this.#trusted(bucket);
      if (index < trusted) return this.#trustedAt(bucket, index);
      index -= trusted;
    }
    return undefined;
  }

  /** Leading bits that the neighbourhood shares with this node: its buckets are those from this index on. */
  neighbourhoodDepth(): number {
    return this.#surroundingsNow().depth;
  }

  /** Servers in the network besides this node. */
  estimateOthers(): number {
    return this.#surroundingsNow().others;
  }

  /** The bucket an id belongs to; the number of bits for our own. */
  bucketIndex(id: NodeId): number {
    assert(id.bytes.length === this.self.bytes.length, 'ids of one network have one length');
    return commonPrefixLength(this.self, id);
  }

  /** Contacts not in doubt per bucket index, up to the last bucket with any. */
  sizes(): number[] {
    const sizes = this.#buckets.map((bucket) => (bucket === undefined ? 0 : this.#trusted(bucket)));
    return sizes.slice(0, sizes.findLastIndex((size) => size > 0) + 1);
  }

  /** Everybody who lives in this bucket has been looked for: where places are left, there is nobody else. */
  markSearched(index: number): void {
    const bucket = this.#buckets[index];
    if (bucket === undefined || bucket.isFull || !bucket.mayHideOthers) return;
    bucket.mayHideOthers = false;
    this.#noteChange(bucket); // the neighbourhood may reach farther now
  }

  /** The nearest bucket with places left in which there may be others all the same, if there are few enough of them to know them all. */
  unsearchedBucket(): number | undefined {
    const others = this.estimateOthers();
    for (let j = this.#buckets.length - 1; j >= 0; j--) {
      const bucket = this.#buckets[j];
      if (!bucket?.mayHideOthers || bucket.isFull) continue;
      // With fewer than every bucket has that can have them, the estimate may be wrong.
      if (bucket.size < FAR_CONTACTS || !hasMany(j, this.k, others)) return j;
    }
    return undefined;
  }

  /** A lookup of `target` went through its bucket; `monotonicMs` from the clock. */
  markRefreshed(target: NodeId, monotonicMs: number): void {
    const index = this.bucketIndex(target);
    if (index < this.#idBits) this.#bucketAt(index).refreshedAt = monotonicMs;
  }

  /** Indices of buckets no lookup went through since `monotonicMs`, up to the one of our nearest contact. */
  staleBuckets(monotonicMs: number): number[] {
    const stale: number[] = [];
    const count = this.sizes().length;
    for (let j = 0; j < count; j++) {
      if ((this.#buckets[j]?.refreshedAt ?? Number.NEGATIVE_INFINITY) <= monotonicMs) stale.push(j);
    }
    return stale;
  }

  /** Asked far more often than anything changes. */
  #surroundingsNow(): Surroundings {
    const { self, k, size } = this;
    if (this.#surroundings?.revision === this.#revision) return this.#surroundings;
    const others = estimateOthers({ self, nearest: this.closest(self, k), k, known: size });
    const buckets = this.#buckets.map((bucket) => ({
      trusted: bucket === undefined ? 0 : this.#trusted(bucket),
      places: bucket?.size ?? 0,
      mayHideOthers: bucket?.mayHideOthers ?? false,
    }));
    this.#surroundings = { revision: this.#revision, others, ...neighbourhoodDepth(buckets, k, others) };
    return this.#surroundings;
  }

  #bucketAt(index: number): KBucket {
    let bucket = this.#buckets[index];
    if (bucket === undefined) {
      bucket = new KBucket(index, this.#bucketInit);
      while (this.#buckets.length < index) this.#buckets.push(undefined);
      this.#buckets[index] = bucket;
    }
    return bucket;
  }

  #capacityOf(index: number): number {
    let nearer = 1; // this node
    for (let j = index + 1; j < this.#buckets.length && nearer < this.k; j++) {
      const bucket = this.#buckets[j];
      if (bucket !== undefined) nearer += this.#trusted(bucket);
    }
    return nearer < this.k ? NEAR_FACTOR * this.k : this.k;
  }

  #admit(bucket: KBucket, entry: TableEntry): InsertOutcome {
    if (!this.#groups.hasRoom(bucket, entry.groups)) return REJECTED_BY_GROUP;
    if (bucket.isFull) {
      const doubtful = this.#doubtful === 0 ? undefined : bucket.entries.find((other) => this.#isDoubtful(other));
      if (doubtful === undefined) {
        bucket.addReplacement(entry);
        const oldest = bucket.entries[0]!;
        return { kind: 'full', oldest: oldest.contact, oldestSeenAt: oldest.seenAt };
      }
      // Who just spoke is better than who has been silent.
      this.#lost.add(doubtful.contact);
      this.#takePlace(bucket, doubtful);
      bucket.replace(doubtful, entry);
      this.#givePlace(bucket, entry);
      return INSERTED;
    }
    this.#place(bucket, entry);
    return INSERTED;
  }

  #place(bucket: KBucket, entry: TableEntry): void {
    bucket.add(entry);
    this.#givePlace(bucket, entry);
  }

  #displace(bucket: KBucket, entry: TableEntry): void {
    bucket.delete(entry);
    this.#takePlace(bucket, entry);
  }

  #givePlace(bucket: KBucket, entry: TableEntry): void {
    this.#places.set(entry.contact.id.hex, entry);
    this.#groups.count(entry.groups, 1);
    if (this.#isDoubtful(entry)) this.#doubtful++;
    this.#noteChange(bucket);
  }

  #takePlace(bucket: KBucket, entry: TableEntry): void {
    this.#places.delete(entry.contact.id.hex);
    this.#groups.count(entry.groups, -1);
    if (this.#isDoubtful(entry)) this.#doubtful--;
    this.#noteChange(bucket);
  }

  /** Free places to those who wait: one was left, and buckets farther away may have become some of the nearest. */
  #promote(): Contact[] {
    const promoted: Contact[] = [];
    for (let j = this.#buckets.length - 1; j >= 0; j--) {
      const bucket = this.#buckets[j];
      while (bucket?.hasWaiting && !bucket.isFull) {
        const entry = bucket.takeReplacement(({ groups }) => this.#groups.hasRoom(bucket, groups));
        if (entry === undefined) break;
        this.#place(bucket, entry);
        promoted.push(entry.contact);
      }
    }
    return promoted;
  }

  #changeAddresses(bucket: KBucket, entry: TableEntry, contact: Contact): void {
    const groups = addressGroups(contact.addresses);
    this.#groups.count(entry.groups, -1);
    const previous = entry.groups;
    entry.groups = [];
    if (this.#groups.hasRoom(bucket, groups)) {
      entry.contact = contact;
      entry.groups = groups;
    } else {
      entry.groups = previous; // moving into a crowded network does not work around its limit
    }
    this.#groups.count(entry.groups, 1);
  }

  #clearFailures(bucket: KBucket, entry: TableEntry): void {
    if (this.#isDoubtful(entry)) this.#countDoubtful(bucket, -1);
    entry.failures = 0;
  }

  #countDoubtful(bucket: KBucket, change: 1 | -1): void {
    this.#doubtful += change;
    this.#noteChange(bucket);
  }

  /** What comes and goes too far away to have a say is no news to the neighbourhood. */
  #noteChange({ index }: KBucket): void {
    const known = this.#surroundings;
    const hasNoSay = known?.revision === this.#revision && index < known.decidedBy;
    if (!hasNoSay) this.#revision++;
  }

  #trusted(bucket: KBucket): number {
    if (this.#doubtful === 0) return bucket.size;
    return bucket.entries.reduce((count, entry) => (this.#isDoubtful(entry) ? count : count + 1), 0);
  }

  #trustedAt(bucket: KBucket, index: number): Contact | undefined {
    if (this.#doubtful === 0) return bucket.entries[index]?.contact;
    return bucket.entries.filter((entry) => !this.#isDoubtful(entry))[index]?.contact;
  }

  #isDoubtful(entry: Readonly<TableEntry>): boolean {
    return entry.failures >= this.#maxFailures;
  }

  /** Whether all of bucket j is nearer to `target` than we are. */
  #isNearerSide(target: NodeId, j: number): boolean {
    const byte = j >> 3;
    return (((this.self.bytes[byte]! ^ target.bytes[byte]!) >> (7 - (j & 7))) & 1) === 1;
  }

  /** Appends the contacts of one bucket, nearest first: buckets are visited in order, so only within one must be sorted. */
  #collect(j: number, target: NodeId, exclude: NodeId | undefined, found: Contact[]): void {
    const bucket = this.#buckets[j];
    if (bucket === undefined) return;
    const nobodyElse = this.size === 0;
    const start = found.length;
    for (const entry of bucket.entries) {
      const { contact, head } = entry;
      if (this.#isDoubtful(entry) && !nobodyElse) continue;
      if (exclude !== undefined && head === exclude.head && contact.id.equals(exclude)) continue;
      // Insertion by the leading bits of the distance, because a bucket is short and this is in every answer.
      const leading = (head ^ target.head) >>> 0;
      let place = found.length;
      for (; place > start; place--) {
        const before = place - 1;
        const other = found[before]!;
        if (leadingBits[before]! < leading) break;
        if (leadingBits[before]! === leading && compareDistance(target, other.id, contact.id) < 0) break;
        found[place] = other;
        leadingBits[place] = leadingBits[before]!;
      }
      found[place] = contact;
      leadingBits[place] = leading;
    }
  }
}

/** Scratch space of `#collect`, beside its `found`: the first 32 bits of their distances. */
const leadingBits: number[] = [];
