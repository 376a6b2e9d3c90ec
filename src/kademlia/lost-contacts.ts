/**
 * Who lost a place because of silence. After a partition they are the way back, so an hour of other people's deaths must not push them out:
 * half of a table of 200 and the third of the rest that churns away in that hour fit in.
 */
import type { Load } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { NodeId } from './node-id.ts';

export class LostContacts {
  readonly #capacity: number;
  // BOUNDED: capacity, the longest lost is forgotten first.
  readonly #contacts = new Map<string, Contact>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(contact: Contact): void {
    this.#contacts.delete(contact.id.hex);
    this.#contacts.set(contact.id.hex, contact);
    if (this.#contacts.size <= this.#capacity) return;
    const longest = this.#contacts.keys().next();
    if (longest.done !== true) this.#contacts.delete(longest.value);
  }

  /** It was heard of again, or said that it is gone. */
  delete(id: NodeId): void {
    this.#contacts.delete(id.hex);
  }

  get load(): Load {
    return { size: this.#contacts.size, limit: this.#capacity };
  }

  values(): Contact[] {
    return [...this.#contacts.values()];
  }
}
