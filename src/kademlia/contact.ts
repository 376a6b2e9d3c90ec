import { identityOf } from './identity-cache.ts';
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

/** `publicKey` may be a view: the contact keeps a copy, shared with other contacts of the same peer. */
export function createContact(publicKey: Uint8Array, addresses: readonly string[]): Contact {
  const identity = identityOf(publicKey);
  return { id: identity.id, publicKey: identity.publicKey, addresses };
}
