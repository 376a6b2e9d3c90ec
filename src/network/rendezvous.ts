/**
 * Meets nodes of the same network through somebody else's libp2p DHT (any that speaks libp2p's Kademlia: IPFS's, a company's own): every node
 * provides a CID made from the network's name, and asks who else does. The DHT is spoken by a libp2p host of its own (dht-host.ts), so that the
 * node's host keeps its small set of protocols. That host has the node's key, because a DHT takes a provider record only from the peer it is
 * about, and announces the node's addresses: what others find is the node itself.
 */
import { createHash } from 'node:crypto';
import type { PeerId, PeerInfo } from '@libp2p/interface';
import { NautilusError } from '../core/index.ts';
import type { DhtHost } from './dht-host.ts';

export interface RendezvousInit {
  readonly network: string;
  /** The node's raw Ed25519 seed. */
  readonly privateKey: Uint8Array;
  /** Where the node can be dialled, without `/p2p/…`. */
  readonly addresses: readonly string[];
  /** Multiaddrs of some peers of the DHT; BOUNDED: the first 8 count. */
  readonly through: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface RendezvousOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface Rendezvous {
  /** Of the addresses given, those this DHT passes on: a public one drops private addresses. Empty: there is nothing to announce. */
  readonly announced: readonly string[];
  /**
   * Leaves provider records with the DHT peers closest to the CID. js-libp2p's forget the addresses after an hour: announce again before.
   * @throws NautilusError `NO_PEERS` when no peer took one
   */
  announce(options?: RendezvousOptions): Promise<void>;
  /**
   * Addresses, with `/p2p/…`, of nodes that announced themselves, this one left out. Anybody may announce anything: nothing here is proven.
   * @throws NautilusError `PEER_UNREACHABLE`
   */
  find(options?: RendezvousOptions): AsyncIterable<string>;
  /** Idempotent. */
  close(): Promise<void>;
}

const QUERY_TIMEOUT_MS = 60_000;
const MAX_ADDRESSES_PER_NODE = 4;
const SHA2_256 = 0x12;
/** What nodes dial: a host and a TCP port. */
const TCP_ADDRESS = /^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+$/;

/**
 * Connects to the DHT; loads @libp2p/kad-dht for it.
 * @throws NautilusError `ADDRESS_INVALID`, `PEER_UNREACHABLE` when no rendezvous peer answers, `UNSUPPORTED` when none belongs to a DHT
 */
export async function openRendezvous({ network, signal, ...init }: RendezvousInit): Promise<Rendezvous> {
  const [{ openDhtHost }, { peerIdFromMultihash }] = await Promise.all([
    import('./dht-host.ts'),
    import('@libp2p/peer-id'),
  ]);
  const host: DhtHost = await openDhtHost({ ...init, signal });
  const contentId = contentIdOf(network, peerIdFromMultihash);

  return {
    announced: host.announced,

    async announce(options = {}) {
      let taken = 0;
      try {
        for await (const event of host.dht.provide(contentId, { signal: bounded(options.signal) })) {
          if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') taken++;
        }
      } catch (cause) {
        options.signal?.throwIfAborted();
        if (taken === 0) throw dhtFailed('no peer of the DHT took the announcement', 'NO_PEERS', cause);
      }
      if (taken === 0) throw dhtFailed('no peer of the DHT took the announcement', 'NO_PEERS');
    },

    async *find(options = {}) {
      try {
        for await (const event of host.dht.findProviders(contentId, { signal: bounded(options.signal) })) {
          if (event.name !== 'PROVIDER') continue;
          for (const provider of event.providers) if (!provider.id.equals(host.peerId)) yield* dialableOf(provider);
        }
      } catch (cause) {
        options.signal?.throwIfAborted();
        throw dhtFailed('the DHT does not answer', 'PEER_UNREACHABLE', cause);
      }
    },

    close: () => host.close(),
  };
}

/**
 * A CID for the network's name. A DHT looks at the multihash only, and a peer id of that multihash knows how to make a CID of it, which saves
 * a dependency for one class.
 */
function contentIdOf(
  network: string,
  peerIdFromMultihash: (multihash: Multihash) => PeerId,
): ReturnType<PeerId['toCID']> {
  const digest = new Uint8Array(createHash('sha256').update(`nautilus/rendezvous/1/${network}`).digest());
  const bytes = Uint8Array.of(SHA2_256, digest.length, ...digest);
  return peerIdFromMultihash({ code: SHA2_256, size: digest.length, digest, bytes }).toCID();
}

type Multihash = ReturnType<PeerId['toMultihash']>;

function dialableOf({ id, multiaddrs }: PeerInfo): string[] {
  if (id.type !== 'Ed25519') return [];
  const suffix = `/p2p/${id}`;
  // DHT peers keep an address twice, with and without its suffix.
  const hosts = new Set(multiaddrs.map((address) => withoutSuffix(address.toString(), suffix)));
  return [...hosts]
    .filter((address) => TCP_ADDRESS.test(address))
    .slice(0, MAX_ADDRESSES_PER_NODE)
    .map((address) => `${address}${suffix}`);
}

function withoutSuffix(address: string, suffix: string): string {
  return address.endsWith(suffix) ? address.slice(0, -suffix.length) : address;
}

function bounded(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(QUERY_TIMEOUT_MS);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}

function dhtFailed(what: string, code: 'NO_PEERS' | 'PEER_UNREACHABLE', cause?: unknown): NautilusError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new NautilusError(code, `rendezvous: ${what}${reason}`, { cause });
}
