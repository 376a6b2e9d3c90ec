/**
 * Contacts on the wire: one byte string of joined 32-byte public keys and one array of address arrays. A list of twenty is a quarter of the
 * work of twenty little arrays, and an id that is not the hash of a key cannot be written.
 */
import {
  CborArray,
  CborWritable,
  encodeCbor,
  PUBLIC_KEY_BYTES,
  writeArrayHead,
  writeByteStringHead,
  writeRaw,
} from '../records/index.ts';
import type { Contact } from './contact.ts';
import { Identity, identityOnWire, sharedIdentity } from './identity-cache.ts';
import { MAX_ADDRESS_LENGTH, MAX_ADDRESSES } from './wire-format.ts';

const SLASH = 0x2f;
const SPACE = 0x20;
const DELETE = 0x7f;

/** `[joinedPublicKeys, addressesOfEach]` */
export function contactsToFields(contacts: readonly Contact[]): [CborWritable, CborWritable] {
  const wires = contacts.map(wireOf);
  return [new PublicKeys(wires), new AddressLists(wires)];
}

/** Undefined when malformed or more than `limit` contacts. `addresses`: still encoded. */
export function contactsFromFields(publicKeys: unknown, addresses: unknown, limit: number): Contact[] | undefined {
  if (!(publicKeys instanceof Uint8Array) || !(addresses instanceof CborArray)) return undefined;
  const count = publicKeys.length / PUBLIC_KEY_BYTES;
  if (!Number.isInteger(count) || count > limit || addresses.length !== count) return undefined;
  const contacts: Contact[] = [];
  for (let i = 0; i < count; i++) {
    const contact = nextContact(publicKeys, i * PUBLIC_KEY_BYTES, addresses);
    if (contact === undefined) return undefined;
    contacts.push(contact);
  }
  return contacts;
}

function nextContact(publicKeys: Uint8Array, offset: number, addresses: CborArray): Contact | undefined {
  const known = identityOnWire(publicKeys, offset, addresses.bytes, addresses.offset);
  if (known?.wire !== undefined) {
    addresses.skip(known.wire.length - PUBLIC_KEY_BYTES);
    return known;
  }
  const told = addressesFromFields(addresses.next());
  if (told === undefined) return undefined;
  const identity = sharedIdentity(publicKeys, offset, told);
  wireOf(identity);
  return identity;
}

/** The public key and the encoded addresses behind it. Written once for everybody who names this contact. */
function wireOf(contact: Contact): Uint8Array {
  if (contact instanceof Identity && contact.wire !== undefined) return contact.wire;
  const sound = addressesToFields(contact.addresses);
  const encoded = encodeCbor(sound);
  const wire = new Uint8Array(PUBLIC_KEY_BYTES + encoded.length);
  wire.set(contact.publicKey);
  wire.set(encoded, PUBLIC_KEY_BYTES);
  if (contact instanceof Identity && sound === contact.addresses) contact.wire = wire;
  return wire;
}

class PublicKeys extends CborWritable {
  readonly #wires: readonly Uint8Array[];

  constructor(wires: readonly Uint8Array[]) {
    super();
    this.#wires = wires;
  }

  write(): void {
    writeByteStringHead(this.#wires.length * PUBLIC_KEY_BYTES);
    for (const wire of this.#wires) writeRaw(wire, 0, PUBLIC_KEY_BYTES);
  }
}

class AddressLists extends CborWritable {
  readonly #wires: readonly Uint8Array[];

  constructor(wires: readonly Uint8Array[]) {
    super();
    this.#wires = wires;
  }

  write(): void {
    writeArrayHead(this.#wires.length);
    for (const wire of this.#wires) writeRaw(wire, PUBLIC_KEY_BYTES, wire.length);
  }
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
