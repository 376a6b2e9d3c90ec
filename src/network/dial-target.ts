/** What a dial aims at: a known identity at some addresses, or whoever is at one address. */
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { NautilusError } from '../core/index.ts';
import { NodeId } from '../kademlia/index.ts';
import { isDialable } from './node-addresses.ts';
import { toPeerId, toPublicKey } from './peer-id.ts';

export interface DialTarget {
  /** Both or neither. */
  readonly id?: NodeId | undefined;
  readonly publicKey?: Uint8Array | undefined;
  /** Without `/p2p/…`. */
  readonly addresses: readonly string[];
}

/**
 * @param text a multiaddr with or without `/p2p/…`
 * @throws NautilusError `ADDRESS_INVALID`, `PEER_INVALID`
 */
export function parseDialTarget(text: string): DialTarget {
  const [address = '', peerIdText, ...rest] = text.split('/p2p/');
  if (rest.length > 0 || !isDialable(address) || !isMultiaddr(address)) {
    throw new NautilusError(
      'ADDRESS_INVALID',
      `"${text}" cannot be dialled: use /ip4/<address>/tcp/<port>, with or without /p2p/<peer id>`,
    );
  }
  if (peerIdText === undefined) return { addresses: [address] };
  const publicKey = parsePeerId(peerIdText);
  return { id: NodeId.fromPublicKey(publicKey), publicKey, addresses: [address] };
}

/** The addresses libp2p shall try; it proves the identity, if one is named. */
export function toMultiaddrs({ publicKey, addresses }: DialTarget): Multiaddr[] {
  const suffix = publicKey === undefined ? '' : `/p2p/${toPeerId(publicKey)}`;
  const usable = addresses.filter((address) => isDialable(address) && isMultiaddr(address));
  if (usable.length === 0)
    throw new NautilusError('PEER_UNREACHABLE', 'the peer is not connected and has no address that can be dialled');
  return usable.map((address) => multiaddr(`${address}${suffix}`));
}

/** For messages. */
export function nameOf({ publicKey, addresses }: DialTarget): string {
  return addresses.length > 0 || publicKey === undefined
    ? addresses.slice(0, 3).join(', ')
    : toPeerId(publicKey).toString();
}

function parsePeerId(text: string): Uint8Array {
  try {
    return toPublicKey(peerIdFromString(text));
  } catch (cause) {
    throw new NautilusError(
      'PEER_INVALID',
      `"${text}" is not an Ed25519 peer id; it looks like 12D3KooW… (52 characters)`,
      { cause },
    );
  }
}

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text);
    return true;
  } catch {
    return false; // e.g. an IP that is none: from the wire it is skipped, from people it is refused
  }
}
