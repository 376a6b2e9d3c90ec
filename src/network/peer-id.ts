/** Between libp2p's names for a peer and ours: raw Ed25519 keys. libp2p's other key types are no identities here. */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Connection, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { NautilusError } from '../core/index.ts';
import { NodeId } from '../kademlia/index.ts';

/** @param publicKey raw Ed25519, 32 bytes */
export function toPeerId(publicKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}

/**
 * The raw public key inside a peer id.
 * @throws NautilusError `PEER_INVALID` for other key types
 */
export function toPublicKey(peerId: PeerId): Uint8Array {
  if (peerId.type !== 'Ed25519') {
    throw new NautilusError('PEER_INVALID', `${peerId} is not an Ed25519 identity, which every Nautilus node has`);
  }
  return peerId.publicKey.raw;
}

/** Proven by the connection's handshake. */
export interface RemoteIdentity {
  readonly id: NodeId;
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** @throws NautilusError `PEER_INVALID` */
export function identityAt(connection: Connection): RemoteIdentity {
  const publicKey = toPublicKey(connection.remotePeer);
  return { id: NodeId.fromPublicKey(publicKey), publicKey };
}
