/** A place in the key space: nodes and keys share it. 256 bits in production; tests use 8-bit ids, so that a case reads in binary. */
import { sha256 } from '@noble/hashes/sha2.js';
import { compareBytes, fromHex, peerIdBytes, toHex } from '../records/index.ts';

export class NodeId {
  readonly bytes: Uint8Array;
  /** Lower-case hex: the map key, and what people see. */
  readonly hex: string;

  private constructor(bytes: Uint8Array, hex: string) {
    this.bytes = bytes;
    this.hex = hex;
  }

  static fromBytes(bytes: Uint8Array): NodeId {
    return new NodeId(bytes, toHex(bytes));
  }

  static fromHex(hex: string): NodeId {
    return new NodeId(fromHex(hex), hex);
  }

  /** sha256 of the libp2p peer id bytes of a raw Ed25519 public key: nobody chooses an id. */
  static fromPublicKey(publicKey: Uint8Array): NodeId {
    return NodeId.fromBytes(sha256(peerIdBytes(publicKey)));
  }

  equals(other: NodeId): boolean {
    return compareBytes(this.bytes, other.bytes) === 0;
  }
}
