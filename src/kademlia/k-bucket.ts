/**
 * The contacts of one distance range, least recently seen first, and replacements that wait for a place (Kademlia paper §2.2, §4.1).
 * It keeps order and size; who deserves a place, and how many places there are, is the table's to decide.
 */
import { assert, type Load } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { NodeId } from './node-id.ts';

/** A contact in the table and what the table knows of it. Only the table and its buckets change it. */
export interface TableEntry {
  contact: Contact;
  /** Of its id: whoever looks for the nearest reads it of everybody, and the rest of few. */
  readonly head: number;
  /** Networks its addresses lie in, see address.ts. */
  groups: readonly string[];
  /** When it last answered or asked, ms since the epoch. */
  seenAt: number;
  /** Requests in a row that it did not answer. */
  failures: number;
  /** How many signs of life the table had seen when this row of failures began. */
  answersBeforeFailures: number;
}

export function newEntry(contact: Contact, groups: readonly string[], seenAt: number): TableEntry {
  return { contact, head: contact.id.head, groups, seenAt, failures: 0, answersBeforeFailures: 0 };
}

/** One object for all buckets of a table. */
export interface KBucketInit {
  /** Of the bucket with this index, asked whenever somebody wants in. It may shrink: nobody is evicted for it, newcomers find the bucket full. */
  capacityOf(index: number): number;
  readonly maxReplacements: number;
}

export class KBucket {
  /** In its table. */
  readonly index: number;
  readonly #init: KBucketInit;
  // BOUNDED: the largest capacity, add() is refused when full.
  readonly #entries: TableEntry[] = [];
  // BOUNDED: maxReplacements, the oldest makes room for a new one. By hex id, least recently seen first.
  readonly #replacements = new Map<string, TableEntry>();
  /** There was no place for everybody once, or its contacts are of an earlier run: not to have more does not mean that there are none. */
  mayHideOthers = false;
  /** When a lookup last went through this range, monotonic ms. */
  refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(index: number, init: KBucketInit) {
    this.index = index;
    this.#init = init;
  }

  get size(): number {
    return this.#entries.length;
  }

  get isFull(): boolean {
    return this.#entries.length >= this.#init.capacityOf(this.index);
  }

  /** Somebody waits for a place. */
  get hasWaiting(): boolean {
    return this.#replacements.size > 0;
  }

  /** Those who wait. */
  get waiting(): Load {
    return { size: this.#replacements.size, limit: this.#init.maxReplacements };
  }

  /** Least recently seen first. */
  get entries(): readonly TableEntry[] {
    return this.#entries;
  }

  /** Makes an entry the most recently seen. */
  touch(entry: TableEntry): void {
    const entries = this.#entries;
    const last = entries.length - 1;
    if (entries[last] === entry) return;
    const index = entries.indexOf(entry);
    assert(index !== -1, 'only an entry of the bucket is touched');
    // By hand: every message of a contact ends here, and copyWithin on an array takes 1.5 µs, this 0.1.
    for (let i = index; i < last; i++) entries[i] = entries[i + 1]!;
    entries[last] = entry;
  }

  add(entry: TableEntry): void {
    assert(!this.isFull, 'a full bucket takes nobody');
    this.#entries.push(entry);
    if (this.isFull) this.mayHideOthers = true;
  }

  /** Gives the place of `previous` to `entry`, also in a bucket with more than its capacity. */
  replace(previous: TableEntry, entry: TableEntry): void {
    this.delete(previous);
    this.#entries.push(entry);
  }

  /** Its place becomes free; replacements go on waiting. */
  delete(entry: TableEntry): void {
    const index = this.#entries.indexOf(entry);
    assert(index !== -1, 'only an entry of the bucket is deleted');
    this.#entries.splice(index, 1);
  }

  /** The caller has taken it out before, if it was one: see `takeWaiting`. */
  addReplacement(entry: TableEntry): void {
    const oldest = this.#replacements.size >= this.#init.maxReplacements ? this.#replacements.keys().next() : undefined;
    if (oldest?.value !== undefined) this.#replacements.delete(oldest.value);
    this.#replacements.set(entry.contact.id.hex, entry);
    this.mayHideOthers = true;
  }

  /** Takes out the most recently seen replacement that is acceptable. */
  takeReplacement(isAcceptable: (entry: TableEntry) => boolean): TableEntry | undefined {
    const taken = [...this.#replacements.values()].findLast(isAcceptable);
    if (taken !== undefined) this.#replacements.delete(taken.contact.id.hex);
    return taken;
  }

  /** Takes this contact out of the replacements. */
  takeWaiting(id: NodeId): TableEntry | undefined {
    const waiting = this.#replacements.get(id.hex);
    if (waiting !== undefined) this.#replacements.delete(id.hex);
    return waiting;
  }
}
