/** The routing table on disk: `[1, publicKeys, addresses, seenAt]`, so that a restart needs no bootstrap server. */
import { CborArray, encodeCbor, PUBLIC_KEY_BYTES } from '../records/index.ts';
import type { Contact } from './contact.ts';
import { contactsFromFields, contactsToFields } from './contact-list.ts';
import type { RoutingTable } from './routing-table.ts';
import { isNatural } from './wire-format.ts';

const FORMAT = 1;
/** Index of the contacts' addresses. */
const ADDRESSES = 2;

export interface SavedContact {
  readonly contact: Contact;
  /** ms since the epoch. */
  readonly seenAt: number;
}

export function encodeTable(table: RoutingTable): Uint8Array {
  const entries = [...table.entries()];
  const contacts = contactsToFields(entries.map((entry) => entry.contact));
  return encodeCbor([FORMAT, ...contacts, entries.map((entry) => Math.max(0, Math.floor(entry.seenAt)))]);
}

/** Empty for anything `encodeTable` did not write: a lost table costs one bootstrap. */
export function decodeTable(bytes: Uint8Array): readonly SavedContact[] {
  const [format, publicKeys, addresses, times] = CborArray.parse(bytes)?.toArray(ADDRESSES) ?? [];
  if (format !== FORMAT || !(publicKeys instanceof Uint8Array) || !Array.isArray(times)) return [];
  const contacts = contactsFromFields(publicKeys, addresses, publicKeys.length / PUBLIC_KEY_BYTES);
  if (contacts === undefined || contacts.length !== times.length || !times.every(isNatural)) return [];
  return contacts.map((contact, i) => ({ contact, seenAt: times[i] as number }));
}
