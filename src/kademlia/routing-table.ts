/**
 * Who this node knows: K-buckets by common prefix length with its own id (Kademlia paper §2.2, §2.4). Operations return outcomes, the caller
 * talks to the network. Only contacts whose handshake proved their id and whose HELLO said "server" belong in here: that is the caller's duty.
 *
 * One fact makes most of it cheap: bucket j holds the ids that first differ from ours at bit j. So seen from any target, whole buckets are
 * nearer or farther than we are: nearer exactly when bit j of `self xor target` is 1.
 */
import { assert } from '../core/index.ts';
import { addressGroups } from './address.ts';
import type { Contact } from './contact.ts';
import { commonPrefixLength, compareDistance } from './distance.ts';
import { KBucket, type TableEntry } from './k-bucket.ts';
import type { NodeId } from './node-id.ts';

export interface RoutingTableInit {
  readonly self: NodeId;
  readonly k: number;
  /** Contacts of one /24 or /48 in one bucket. @default 2 */
  readonly maxPerGroupInBucket?: number;
  /** Contacts of one /24 or /48 in the table. @default 10 */
  readonly maxPerGroup?: number;
  /** Unanswered requests in a row after which a contact has lost its place. @default 2 */
  readonly maxFailures?: number;
}

export type InsertOutcome =
  | { readonly kind: 'inserted' }
  | { readonly kind: 'updated' }
  /** It waits as a replacement. The caller pings the oldest: `insert` it again if it answers, `remove` it if not. */
  | { readonly kind: 'full'; readonly oldest: Contact; readonly oldestSeenAt: number }
  | { readonly kind: 'rejected'; readonly reason: 'self' | 'group' };

export type FailureOutcome =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'kept' }
  | { readonly kind: 'removed'; readonly promoted: Contact | undefined };

export interface BucketOccupancy {
  readonly size: number;
  /** There may be more who found no place. */
  readonly isFull: boolean;
}

const UNKNOWN: FailureOutcome = { kind: 'unknown' };
const KEPT: FailureOutcome = { kind: 'kept' };
const REJECTED_BY_GROUP: InsertOutcome = { kind: 'rejected', reason: 'group' };
const INSERTED: InsertOutcome = { kind: 'inserted' };
const UPDATED: InsertOutcome = { kind: 'updated' };

export class RoutingTable {
  readonly self: NodeId;
  readonly k: number;
  readonly #maxPerGroupInBucket: number;
  readonly #maxPerGroup: number;
  readonly #maxFailures: number;
  // BOUNDED: one per bit of an id, made when somebody lives there.
  readonly #buckets: (KBucket | undefined)[];
  // BOUNDED: as the buckets: everybody with a place, by hex id.
  readonly #places = new Map<string, TableEntry>();
  /** Behind the last bucket there is. */
  #depth = 0;
  // BOUNDED: by the contacts and their addresses.
  readonly #groupCounts = new Map<string, number>();
  // BOUNDED: 2k, the longest lost is forgotten first.
  readonly #lost = new Map<string, Contact>();
  #doubtful = 0;
  /** Signs of life of anybody: without one, failures say more about our own network than about the others. */
  #answers = 0;

  constructor(init: RoutingTableInit) {
    const { self, k, maxPerGroupInBucket = 2, maxPerGroup = 10, maxFailures = 2 } = init;
    this.self = self;
    this.k = k;
    this.#maxPerGroupInBucket = maxPerGroupInBucket;
    this.#maxPerGroup = maxPerGroup;
    this.#maxFailures = maxFailures;
    this.#buckets = new Array<KBucket | undefined>(self.bytes.length * 8).fill(undefined);
  }

  /** Contacts that are not in doubt. 0 means: nobody is known to be there. */
  get size(): number {
    return this.#places.size - this.#doubtful;
  }

  /** A contact answered, or asked us something. */
  insert(contact: Contact, seenAt: number): InsertOutcome {
    const index = this.bucketIndex(contact.id);
    if (index === this.#buckets.length) return { kind: 'rejected', reason: 'self' };
    this.#answers++;
    this.#lost.delete(contact.id.hex);
    const bucket = this.#bucketAt(index);
    const known = this.#places.get(contact.id.hex);
    if (known !== undefined) {
      this.#clearFailures(known);
      if (!sameAddresses(known.contact, contact)) this.#changeAddresses(bucket, known, contact);
      known.seenAt = seenAt;
      bucket.touch(known);
      return UPDATED;
    }
    const waiting = bucket.takeWaiting(contact.id);
    if (waiting === undefined || !sameAddresses(waiting.contact, contact)) {
      return this.#admit(bucket, newEntry(contact, seenAt));
    }
    waiting.seenAt = seenAt;
    return this.#admit(bucket, waiting);
  }

  /** Takes back a contact of an earlier run, in doubt until it answers. Full buckets and groups refuse it. */
  restore(contact: Contact, seenAt: number): boolean {
    const index = this.bucketIndex(contact.id);
    if (index === this.#buckets.length) return false;
    const bucket = this.#bucketAt(index);
    const entry = newEntry(contact, seenAt);
    if (bucket.isFull || this.#places.has(contact.id.hex) || !this.#hasRoom(bucket, entry.groups)) return false;
    entry.failures = this.#maxFailures;
    this.#place(bucket, entry);
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
    if (entry.failures === this.#maxFailures) this.#doubtful++;
    if (entry.failures < this.#maxFailures || this.#answers === entry.answersBeforeFailures) return KEPT;
    this.#remember(entry.contact);
    return { kind: 'removed', promoted: this.#removeFrom(bucket, entry) };
  }

  /** Takes a contact out for good (it is no server any more, or did not answer the ping that decides) and promotes a replacement. */
  remove(id: NodeId): FailureOutcome {
    const bucket = this.#buckets[this.bucketIndex(id)];
    bucket?.takeWaiting(id);
    const entry = this.#places.get(id.hex);
    if (bucket === undefined || entry === undefined) return UNKNOWN;
    return { kind: 'removed', promoted: this.#removeFrom(bucket, entry) };
  }

  /** The `count` contacts nearest to `target`, nearest first; those in doubt only when nobody else is known. */
  closest(target: NodeId, count: number, exclude?: NodeId): Contact[] {
    const found: Contact[] = [];
    const depth = this.#depth;
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
    for (let j = 0; j < this.#depth; j++) {
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

  /** Everybody with a place, by bucket, least recently seen first. */
  *entries(): IterableIterator<Readonly<TableEntry>> {
    for (let j = 0; j < this.#depth; j++) {
      const bucket = this.#buckets[j];
      if (bucket !== undefined) yield* bucket.entries;
    }
  }

  /** Contacts in doubt and contacts that lost their place: worth a ping now and then, so that a healed partition is noticed. */
  missing(): Contact[] {
    const missing = [...this.#lost.values()];
    for (const entry of this.entries()) {
      if (this.#isDoubtful(entry)) missing.push(entry.contact);
    }
    return missing;
  }

  /** The bucket an id belongs to; the number of bits for our own. */
  bucketIndex(id: NodeId): number {
    assert(id.bytes.length === this.self.bytes.length, 'ids of one network have one length');
    return commonPrefixLength(this.self, id);
  }

  /** Per bucket index how many contacts not in doubt it has, up to the last bucket with any. */
  occupancy(): BucketOccupancy[] {
    const occupancy = this.#buckets.slice(0, this.#depth).map((bucket) => ({
      size: bucket === undefined ? 0 : this.#trusted(bucket),
      isFull: bucket?.isFull ?? false,
    }));
    return occupancy.slice(0, occupancy.findLastIndex((bucket) => bucket.size > 0) + 1);
  }

  /** A lookup of `target` went through its bucket; `monotonicMs` from the clock. */
  markRefreshed(target: NodeId, monotonicMs: number): void {
    const index = this.bucketIndex(target);
    if (index < this.#buckets.length) this.#bucketAt(index).refreshedAt = monotonicMs;
  }

  /** Indices of buckets no lookup went through since `monotonicMs`, up to the one of our nearest contact. */
  staleBuckets(monotonicMs: number): number[] {
    const stale: number[] = [];
    const count = this.occupancy().length;
    for (let j = 0; j < count; j++) {
      if ((this.#buckets[j]?.refreshedAt ?? Number.NEGATIVE_INFINITY) <= monotonicMs) stale.push(j);
    }
    return stale;
  }

  #bucketAt(index: number): KBucket {
    let bucket = this.#buckets[index];
    if (bucket === undefined) {
      bucket = new KBucket(this.k);
      this.#buckets[index] = bucket;
      this.#depth = Math.max(this.#depth, index + 1);
    }
    return bucket;
  }

  #admit(bucket: KBucket, entry: TableEntry): InsertOutcome {
    if (!this.#hasRoom(bucket, entry.groups)) return REJECTED_BY_GROUP;
    if (bucket.isFull) {
      const doubtful = this.#doubtful === 0 ? undefined : bucket.entries.find((other) => this.#isDoubtful(other));
      if (doubtful === undefined) {
        bucket.addReplacement(entry);
        const oldest = bucket.entries[0]!;
        return { kind: 'full', oldest: oldest.contact, oldestSeenAt: oldest.seenAt };
      }
      // Who just spoke is better than who has been silent.
      this.#remember(doubtful.contact);
      this.#displace(bucket, doubtful);
    }
    this.#place(bucket, entry);
    return INSERTED;
  }

  #place(bucket: KBucket, entry: TableEntry): void {
    bucket.add(entry);
    this.#places.set(entry.contact.id.hex, entry);
    if (this.#isDoubtful(entry)) this.#doubtful++;
    this.#countGroups(entry.groups, 1);
  }

  #displace(bucket: KBucket, entry: TableEntry): void {
    bucket.delete(entry);
    this.#places.delete(entry.contact.id.hex);
    if (this.#isDoubtful(entry)) this.#doubtful--;
    this.#countGroups(entry.groups, -1);
  }

  #removeFrom(bucket: KBucket, entry: TableEntry): Contact | undefined {
    this.#displace(bucket, entry);
    const promoted = bucket.takeReplacement((replacement) => this.#hasRoom(bucket, replacement.groups));
    if (promoted !== undefined) this.#place(bucket, promoted);
    return promoted?.contact;
  }

  #remember(contact: Contact): void {
    this.#lost.delete(contact.id.hex);
    this.#lost.set(contact.id.hex, contact);
    if (this.#lost.size > 2 * this.k) {
      const longest = this.#lost.keys().next();
      if (longest.done !== true) this.#lost.delete(longest.value);
    }
  }

  #changeAddresses(bucket: KBucket, entry: TableEntry, contact: Contact): void {
    const groups = addressGroups(contact.addresses);
    this.#countGroups(entry.groups, -1);
    const previous = entry.groups;
    entry.groups = [];
    if (this.#hasRoom(bucket, groups)) {
      entry.contact = contact;
      entry.groups = groups;
    } else {
      entry.groups = previous; // moving into a crowded network does not work around its limit
    }
    this.#countGroups(entry.groups, 1);
  }

  #hasRoom(bucket: KBucket, groups: readonly string[]): boolean {
    return groups.every((group) => {
      if ((this.#groupCounts.get(group) ?? 0) >= this.#maxPerGroup) return false;
      let inBucket = 0;
      for (const entry of bucket.entries) if (entry.groups.includes(group)) inBucket++;
      return inBucket < this.#maxPerGroupInBucket;
    });
  }

  #countGroups(groups: readonly string[], change: 1 | -1): void {
    for (const group of groups) {
      const count = (this.#groupCounts.get(group) ?? 0) + change;
      if (count === 0) this.#groupCounts.delete(group);
      else this.#groupCounts.set(group, count);
    }
  }

  #clearFailures(entry: TableEntry): void {
    if (this.#isDoubtful(entry)) this.#doubtful--;
    entry.failures = 0;
  }

  #trusted(bucket: KBucket): number {
    if (this.#doubtful === 0) return bucket.size;
    return bucket.entries.reduce((count, entry) => (this.#isDoubtful(entry) ? count : count + 1), 0);
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
      const { contact } = entry;
      if (contact.id.hex === exclude?.hex || (this.#isDoubtful(entry) && !nobodyElse)) continue;
      // Insertion, because a bucket is short and this is in every answer.
      let place = found.length;
      while (place > start && compareDistance(target, contact.id, found[place - 1]!.id) < 0) {
        found[place] = found[place - 1]!;
        place--;
      }
      found[place] = contact;
    }
  }
}

function newEntry(contact: Contact, seenAt: number): TableEntry {
  return { contact, groups: addressGroups(contact.addresses), seenAt, failures: 0, answersBeforeFailures: 0 };
}

function sameAddresses(a: Contact, b: Contact): boolean {
  return (
    a.addresses === b.addresses ||
    (a.addresses.length === b.addresses.length && a.addresses.every((address, i) => address === b.addresses[i]))
  );
}
