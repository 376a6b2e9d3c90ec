import { sameTexts, sharedIdentity } from './identity-cache.ts';
import type { NodeId } from './node-id.ts';

/**
 * What one node tells another about a third. On the wire a contact is its public key and addresses: the id is derived, so a contact with a
 * chosen id cannot even be written down.
 */
export interface Contact {
  readonly id: NodeId;
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Multiaddrs as text, without `/p2p/…`. May be empty: known, but only reachable while it is connected to us. */
  readonly addresses: readonly string[];
}

/** `publicKey` may be a view: what is kept is a copy. Who is known at the same addresses already is the same object. */
export function createContact(publicKey: Uint8Array, addresses: readonly string[]): Contact {
  return sharedIdentity(publicKey, 0, addresses);
}

/** In the same order: a peer that says them in another one has changed its mind about which is best. */
export function sameAddresses(a: Contact, b: Contact): boolean {
  return sameTexts(a.addresses, b.addresses);
}
