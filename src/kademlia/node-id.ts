/** A place in the key space: nodes and keys share it. 256 bits in production; tests use 8-bit ids, so that a case reads in binary. */
import { sha256 } from '@noble/hashes/sha2.js';
import { compareBytes, fromHex, peerIdBytes, toHex } from '../records/index.ts';

export class NodeId {
  readonly bytes: Uint8Array;
  /** The first 32 bits (shorter ids: filled up with zeros) as a signed integer: nearly every comparison is decided by them. */
  readonly head: number;
  #hex: string | undefined;

  private constructor(bytes: Uint8Array, hex?: string) {
    this.bytes = bytes;
    this.head = ((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
    this.#hex = hex;
  }

  static fromBytes(bytes: Uint8Array): NodeId {
    return new NodeId(bytes);
  }

  static fromHex(hex: string): NodeId {
    return new NodeId(fromHex(hex), hex);
  }

  /** sha256 of the libp2p peer id bytes of a raw Ed25519 public key: nobody chooses an id. */
  static fromPublicKey(publicKey: Uint8Array): NodeId {
    return NodeId.fromBytes(sha256(peerIdBytes(publicKey)));
  }

  /** Lower-case hex: the map key, and what people see. Made when it is first asked for: a lookup's target needs none where it is answered. */
  get hex(): string {
    this.#hex ??= toHex(this.bytes);
    return this.#hex;
  }

  equals(other: NodeId): boolean {
    return this === other || (this.head === other.head && compareBytes(this.bytes, other.bytes) === 0);
  }
}
