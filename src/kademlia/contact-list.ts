/**
 * Contacts on the wire: one byte string of joined 32-byte public keys and one array of address arrays. A list of twenty is a quarter of the
 * work of twenty little arrays, and an id that is not the hash of a key cannot be written.
 */
import { PUBLIC_KEY_BYTES } from '../records/index.ts';
import { type Contact, createContact } from './contact.ts';
import { MAX_ADDRESS_LENGTH, MAX_ADDRESSES } from './wire-format.ts';

const PRINTABLE_MULTIADDR = /^\/[\x21-\x7e]+$/;

/** `[joinedPublicKeys, addressesOfEach]` */
export function contactsToFields(contacts: readonly Contact[]): [Uint8Array, string[][]] {
  const publicKeys = new Uint8Array(contacts.length * PUBLIC_KEY_BYTES);
  const addresses: string[][] = [];
  for (let i = 0; i < contacts.length; i++) {
    const contact = contacts[i]!;
    publicKeys.set(contact.publicKey, i * PUBLIC_KEY_BYTES);
    addresses.push(addressesToFields(contact.addresses));
  }
  return [publicKeys, addresses];
}

/** Undefined when malformed or more than `limit` contacts. */
export function contactsFromFields(publicKeys: unknown, addresses: unknown, limit: number): Contact[] | undefined {
  if (!(publicKeys instanceof Uint8Array) || !Array.isArray(addresses)) return undefined;
  const count = publicKeys.length / PUBLIC_KEY_BYTES;
  if (!Number.isInteger(count) || count > limit || addresses.length !== count) return undefined;
  const contacts: Contact[] = [];
  for (let i = 0; i < count; i++) {
    const own = addressesFromFields(addresses[i]);
    if (own === undefined) return undefined;
    contacts.push(createContact(publicKeys.subarray(i * PUBLIC_KEY_BYTES, (i + 1) * PUBLIC_KEY_BYTES), own));
  }
  return contacts;
}

/** The first addresses a peer will accept; the others stay unsaid. */
export function addressesToFields(addresses: readonly string[]): string[] {
  return addresses.filter(isAddress).slice(0, MAX_ADDRESSES);
}

/** Undefined when there are too many, or one is too long or not printable. Whether they can be dialled is for the transport to find out. */
export function addressesFromFields(fields: unknown): string[] | undefined {
  if (!Array.isArray(fields) || fields.length > MAX_ADDRESSES || !fields.every(isAddress)) return undefined;
  return fields;
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_ADDRESS_LENGTH && PRINTABLE_MULTIADDR.test(value);
}
