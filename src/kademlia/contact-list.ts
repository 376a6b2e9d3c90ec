/**
 * Contacts on the wire: one byte string of joined 32-byte public keys and one array of address arrays. A list of twenty is a quarter of the
 * work of twenty little arrays, and an id that is not the hash of a key cannot be written.
 */
import { PUBLIC_KEY_BYTES } from '../records/index.ts';
import type { Contact } from './contact.ts';
import { hasSoundAddresses, noteSoundAddresses, sharedIdentity, soundIdentity } from './identity-cache.ts';
import { MAX_ADDRESS_LENGTH, MAX_ADDRESSES } from './wire-format.ts';

const SLASH = 0x2f;
const SPACE = 0x20;
const DELETE = 0x7f;

/** `[joinedPublicKeys, addressesOfEach]` */
export function contactsToFields(contacts: readonly Contact[]): [Uint8Array, (readonly string[])[]] {
  const publicKeys = new Uint8Array(contacts.length * PUBLIC_KEY_BYTES);
  const addresses: (readonly string[])[] = [];
  for (let i = 0; i < contacts.length; i++) {
    const contact = contacts[i]!;
    publicKeys.set(contact.publicKey, i * PUBLIC_KEY_BYTES);
    addresses.push(addressesOf(contact));
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
    const contact = contactFromFields(publicKeys, i * PUBLIC_KEY_BYTES, addresses[i]);
    if (contact === undefined) return undefined;
    contacts.push(contact);
  }
  return contacts;
}

function contactFromFields(publicKeys: Uint8Array, offset: number, fields: unknown): Contact | undefined {
  const known = Array.isArray(fields) ? soundIdentity(publicKeys, offset, fields) : undefined;
  if (known !== undefined) return known;
  const addresses = addressesFromFields(fields);
  return addresses && sharedIdentity(publicKeys, offset, addresses, true);
}

function addressesOf(contact: Contact): readonly string[] {
  if (hasSoundAddresses(contact)) return contact.addresses;
  const sound = addressesToFields(contact.addresses);
  if (sound === contact.addresses) noteSoundAddresses(contact);
  return sound;
}

/** The first addresses a peer will accept; the others stay unsaid. */
export function addressesToFields(addresses: readonly string[]): readonly string[] {
  return areAddresses(addresses) ? addresses : addresses.filter(isAddress).slice(0, MAX_ADDRESSES);
}

/** Undefined when there are too many, or one is too long or not printable. Whether they can be dialled is for the transport to find out. */
export function addressesFromFields(fields: unknown): string[] | undefined {
  return Array.isArray(fields) && areAddresses(fields) ? fields : undefined;
}

function areAddresses(values: readonly unknown[]): values is string[] {
  return values.length <= MAX_ADDRESSES && values.every(isAddress);
}

/** A slash and something printable behind it. By hand: a list of twenty contacts takes a regular expression longer than the rest of it. */
function isAddress(value: unknown): value is string {
  if (typeof value !== 'string' || value.length < 2 || value.length > MAX_ADDRESS_LENGTH) return false;
  if (value.charCodeAt(0) !== SLASH) return false;
  for (let i = 1; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code <= SPACE || code >= DELETE) return false;
  }
  return true;
}
