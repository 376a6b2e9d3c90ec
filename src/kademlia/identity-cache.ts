/**
 * Public key → node id, remembered. Contact lists dominate the wire and name the same peers again and again; hashing each name again would
 * cost several times the rest of the decoding. A pure function's memo: it changes no result.
 */
import { bytesEqual, copyBytes } from '../records/index.ts';
import { NodeId } from './node-id.ts';

export interface Identity {
  readonly id: NodeId;
  /** Own copy, shared by every contact of this peer. */
  readonly publicKey: Uint8Array;
}

const SLOT_BITS = 14;

// BOUNDED: 2^14 slots, direct-mapped, some 300 bytes each when filled; a newcomer replaces what was in its slot.
const slots: (Identity | undefined)[] = [];

/** `publicKey` may be a view of a receive buffer: what is kept is a copy. */
export function identityOf(publicKey: Uint8Array): Identity {
  const slot = slotOf(publicKey);
  const known = slots[slot];
  if (known !== undefined && bytesEqual(known.publicKey, publicKey)) return known;
  const identity = { id: NodeId.fromPublicKey(publicKey), publicKey: copyBytes(publicKey) };
  slots[slot] = identity;
  return identity;
}

/** Public keys are uniform; who crafts collisions slows down only the lists that name them. */
function slotOf(publicKey: Uint8Array): number {
  return (publicKey[0]! | (publicKey[1]! << 8)) & ((1 << SLOT_BITS) - 1);
}
