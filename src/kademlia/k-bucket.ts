/**
 * Up to K contacts of one distance range, least recently seen first, and as many replacements that wait for a place (Kademlia paper §2.2, §4.1).
 * It keeps order and size; who deserves a place is the table's to decide.
 */
import { assert } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { NodeId } from './node-id.ts';

/** A contact in the table and what the table knows of it. Only the table and its buckets change it. */
export interface TableEntry {
  contact: Contact;
  /** Networks its addresses lie in, see address.ts. */
  groups: readonly string[];
  /** When it last answered or asked, ms since the epoch. */
  seenAt: number;
  /** Requests in a row that it did not answer. */
  failures: number;
  /** How many signs of life the table had seen when this row of failures began. */
  answersBeforeFailures: number;
}

export class KBucket {
  readonly #capacity: number;
  // BOUNDED: capacity each; add() is refused when full, an old replacement makes room for a new one.
  readonly #entries: TableEntry[] = [];
  readonly #replacements: TableEntry[] = [];
  /** When a lookup last went through this range, monotonic ms. */
  refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.length;
  }

  get isFull(): boolean {
    return this.#entries.length >= this.#capacity;
  }

  /** Least recently seen first. */
  get entries(): readonly TableEntry[] {
    return this.#entries;
  }

  find(id: NodeId): TableEntry | undefined {
    const index = indexOf(this.#entries, id);
    return index === -1 ? undefined : this.#entries[index];
  }

  /** Makes an entry the most recently seen. */
  touch(entry: TableEntry): void {
    const entries = this.#entries;
    const last = entries.length - 1;
    if (entries[last] === entry) return;
    const index = entries.indexOf(entry);
    assert(index !== -1, 'only an entry of the bucket is touched');
    entries.copyWithin(index, index + 1);
    entries[last] = entry;
  }

  add(entry: TableEntry): void {
    assert(!this.isFull, 'a full bucket takes nobody');
    this.#entries.push(entry);
  }

  /** From the entries only. */
  delete(id: NodeId): TableEntry | undefined {
    return removeById(this.#entries, id);
  }

  /** The caller has taken it out before, if it was one: see `takeWaiting`. */
  addReplacement(entry: TableEntry): void {
    if (this.#replacements.length >= this.#capacity) this.#replacements.shift();
    this.#replacements.push(entry);
  }

  /** Takes out the most recently seen replacement that is acceptable. */
  takeReplacement(isAcceptable: (entry: TableEntry) => boolean): TableEntry | undefined {
    for (let i = this.#replacements.length - 1; i >= 0; i--) {
      if (isAcceptable(this.#replacements[i]!)) return this.#replacements.splice(i, 1)[0];
    }
    return undefined;
  }

  /** Takes this contact out of the replacements. */
  takeWaiting(id: NodeId): TableEntry | undefined {
    return removeById(this.#replacements, id);
  }
}

function indexOf(entries: readonly TableEntry[], id: NodeId): number {
  for (let i = 0; i < entries.length; i++) {
    if (entries[i]!.contact.id.hex === id.hex) return i;
  }
  return -1;
}

function removeById(entries: TableEntry[], id: NodeId): TableEntry | undefined {
  const index = indexOf(entries, id);
  return index === -1 ? undefined : entries.splice(index, 1)[0];
}
