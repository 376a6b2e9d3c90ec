/** From an address as people write it to connections: names are looked up, a `/dnsaddr` is several peers, a host name several alternatives. */
import { isNautilusError, NautilusError } from '../core/index.ts';
import type { Peer, RequestOptions } from '../kademlia/index.ts';
import type { NameResolver } from './name-resolver.ts';
import { parsePeerAddress } from './peer-address.ts';
import { resolveAddress } from './resolve-address.ts';

/**
 * Resolves to the number of peers connected, at least one.
 * @throws NautilusError why none could be: `PEER_UNREACHABLE`, `TIMEOUT`, `NETWORK_MISMATCH`, `ADDRESS_INVALID` …
 */
export type DialPeers = (address: string, options: { readonly signal: AbortSignal }) => Promise<number>;

const DIAL_TIMEOUT_MS = 10_000;
/** Taken from one `/dnsaddr`. */
const MAX_PEERS = 8;

export function createDialPeers(
  connect: (address: string, options: RequestOptions) => Promise<Peer>,
  resolver: NameResolver,
): DialPeers {
  /** Alternatives lead to the same peer: one is enough. Returns why none worked. */
  async function connectOneOf(
    alternatives: readonly string[],
    signal: AbortSignal,
  ): Promise<NautilusError | undefined> {
    let failure = new NautilusError('PEER_UNREACHABLE', 'it has no address');
    for (const address of alternatives) {
      try {
        await connect(address, { timeoutMs: DIAL_TIMEOUT_MS, signal });
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        if (!isNautilusError(error)) throw error;
        failure = error;
      }
    }
    return failure;
  }

  return async (address, { signal }) => {
    const peers = await resolveAddress(parsePeerAddress(address), resolver, { signal });
    const outcomes = await Promise.all(
      peers.slice(0, MAX_PEERS).map((alternatives) => connectOneOf(alternatives, signal)),
    );
    const failures = outcomes.filter((outcome) => outcome !== undefined);
    if (failures[0] !== undefined && failures.length === outcomes.length) throw failures[0];
    return outcomes.length - failures.length;
  };
}
