/**
 * A publisher is a raw Ed25519 public key (32 bytes), the same identity a node has in libp2p. People see it as a peer id: base58btc of the
 * identity multihash of the protobuf-wrapped key (libp2p peer-id spec, "Keys"). Other key types are not identities here.
 */
import { fromString } from 'uint8arrays/from-string';
import { toString as bytesToString } from 'uint8arrays/to-string';
import { NautilusError } from '../core/index.ts';

export const PUBLIC_KEY_BYTES = 32;

/** multihash identity (0x00), 36 bytes, protobuf { Type = Ed25519 (08 01), Data = 32 bytes (12 20) } */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const PEER_ID_TEXT_LENGTH = 52;

/** The 38 bytes of the libp2p peer id. */
export function peerIdBytes(publicKey: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PEER_ID_PREFIX.length + PUBLIC_KEY_BYTES);
  bytes.set(PEER_ID_PREFIX);
  bytes.set(publicKey, PEER_ID_PREFIX.length);
  return bytes;
}

/** `12D3Koo…` */
export function toPeerIdText(publicKey: Uint8Array): string {
  return bytesToString(peerIdBytes(publicKey), 'base58btc');
}

/**
 * The public key inside a canonical base58 peer id.
 * @throws NautilusError `PEER_INVALID`
 */
export function parsePeerIdText(text: string): Uint8Array {
  const publicKey = text.length === PEER_ID_TEXT_LENGTH ? decodePeerIdText(text) : undefined;
  if (publicKey === undefined) {
    throw new NautilusError(
      'PEER_INVALID',
      `"${text}" is not an Ed25519 peer id; it looks like 12D3KooW… (52 characters)`,
    );
  }
  return publicKey;
}

function decodePeerIdText(text: string): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = fromString(text, 'base58btc');
  } catch {
    return undefined; // a character outside the alphabet: the caller says so
  }
  if (bytes.length !== PEER_ID_PREFIX.length + PUBLIC_KEY_BYTES) return undefined;
  if (PEER_ID_PREFIX.some((byte, i) => bytes[i] !== byte)) return undefined;
  const publicKey = new Uint8Array(bytes.subarray(PEER_ID_PREFIX.length));
  return toPeerIdText(publicKey) === text ? publicKey : undefined;
}
