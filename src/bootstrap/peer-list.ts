/** The document a bootstrap service serves and a list source reads: JSON `{"network": "main", "peers": ["/ip4/…/tcp/4801/p2p/12D3KooW…"]}`. */
import { NautilusError } from '../core/index.ts';
import { isPeerAddress } from './peer-address.ts';

export interface PeerList {
  readonly network: string;
  readonly peers: readonly string[];
}

export const MAX_PEER_LIST_BYTES = 256 * 1024;
/** A list may hold more; readers take these many. */
export const MAX_PEER_LIST_PEERS = 1_000;

/**
 * Checks a list from outside. Entries that are no addresses (perhaps of transports a newer build speaks) are left out, not refused.
 * @throws NautilusError `MALFORMED`, `NETWORK_MISMATCH`
 */
export function parsePeerList(text: string, network: string): PeerList {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new NautilusError('MALFORMED', 'it is not JSON', { cause });
  }
  if (!isListShaped(document)) {
    throw new NautilusError('MALFORMED', 'it is not of the form {"network":"…","peers":["/ip4/…"]}');
  }
  if (document.network !== network) {
    throw new NautilusError(
      'NETWORK_MISMATCH',
      `it is of the network "${document.network.slice(0, 64)}", this node is in "${network}"`,
    );
  }
  const peers = document.peers
    .slice(0, MAX_PEER_LIST_PEERS)
    .filter((peer): peer is string => typeof peer === 'string' && isPeerAddress(peer));
  return { network, peers };
}

function isListShaped(document: unknown): document is { network: string; peers: unknown[] } {
  return (
    typeof document === 'object' &&
    document !== null &&
    'network' in document &&
    typeof document.network === 'string' &&
    'peers' in document &&
    Array.isArray(document.peers)
  );
}
