/** Puts the host and the transport together, with the defaults of production. */
import type { Clock, Observer } from '../core/index.ts';
import type { NodeMode } from '../kademlia/index.ts';
import { createLibp2pHost } from './create-libp2p.ts';
import type { NetworkConstants } from './hello.ts';
import { Libp2pTransport } from './libp2p-transport.ts';
import { DEFAULT_NETWORK_LIMITS, type NetworkLimits } from './network-limits.ts';

export interface CreateLibp2pTransportOptions {
  /** The raw 32-byte Ed25519 seed. */
  readonly privateKey: Uint8Array;
  /** Multiaddrs; empty: dial only. Port 0 picks a free one. */
  readonly listen: readonly string[];
  /** Told to every peer instead of the addresses it listens on, multiaddrs without `/p2p/…`. @default none */
  readonly announce?: readonly string[] | undefined;
  readonly constants: NetworkConstants;
  readonly mode: NodeMode;
  readonly clock: Clock;
  readonly observer: Observer;
  /** @default DEFAULT_NETWORK_LIMITS */
  readonly limits?: Partial<NetworkLimits> | undefined;
  /** Optional request types this build answers. @default none */
  readonly features?: readonly string[] | undefined;
}

/**
 * Listens from now on, so that `self.addresses` are real; peers that connect before `start` wait for it.
 * @throws NautilusError `PORT_TAKEN`, `ADDRESS_INVALID`
 */
export async function createLibp2pTransport(options: CreateLibp2pTransportOptions): Promise<Libp2pTransport> {
  const { privateKey, listen, constants, mode, clock, observer, announce = [], features = [] } = options;
  const limits = { ...DEFAULT_NETWORK_LIMITS, ...options.limits };
  const host = await createLibp2pHost({ privateKey, listen, limits });
  const transport = new Libp2pTransport({ host, clock, observer }, { constants, mode, announce, features, limits });
  await transport.listen();
  return transport;
}
