/**
 * The libp2p host of a node: TCP, noise, yamux and nothing else. No identify (HELLO says what we need), no ping service or connection monitor
 * (requests tell who is alive; yamux keeps idle sockets open), no discovery. Limits are explicit: libp2p's own were made for other uses.
 */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { NautilusError } from '../core/index.ts';
import { joinWrites, withholdWindowUpdates } from './lean-connection.ts';
import type { NetworkLimits } from './network-limits.ts';
import { noiseCrypto } from './noise-crypto.ts';
import { silentLogger } from './silent-logger.ts';

export interface Libp2pHostInit {
  /** The raw 32-byte Ed25519 seed. */
  readonly privateKey: Uint8Array;
  /** Multiaddrs; empty: dial only. Port 0 picks a free one. */
  readonly listen: readonly string[];
  readonly limits: NetworkLimits;
}

export interface Libp2pHost {
  readonly libp2p: Libp2p;
  /** Where it listens now: ports filled in, 0.0.0.0 and :: as the addresses of this machine's interfaces. Asks the system each time. */
  listenAddresses(): readonly string[];
}

/** yamux's smallest: the most a paused peer can make us hold per stream. One frame fits. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const KEEP_ALIVE_MS = 30_000;

/**
 * A started host.
 * @throws NautilusError `PORT_TAKEN`, `ADDRESS_INVALID`
 */
export async function createLibp2pHost({ privateKey, listen, limits }: Libp2pHostInit): Promise<Libp2pHost> {
  let transportManager: { getAddrs(): readonly Multiaddr[] } | undefined;
  const libp2p = await createLibp2p({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', privateKey),
    addresses: { listen: listen.map(checkListenAddress) },
    transports: [tcp()],
    connectionEncrypters: [joinWrites(noise({ crypto: noiseCrypto }))],
    streamMuxers: [
      withholdWindowUpdates(
        yamux({
          keepAliveInterval: KEEP_ALIVE_MS,
          maxInboundStreams: 8,
          maxOutboundStreams: 8,
          streamOptions: { initialStreamWindowSize: STREAM_WINDOW_BYTES, maxStreamWindowSize: STREAM_WINDOW_BYTES },
        }),
        STREAM_WINDOW_BYTES / 4,
      ),
    ],
    connectionMonitor: { enabled: false },
    connectionManager: {
      // Ours acts first: libp2p never prunes a connection with an open stream, it only refuses new ones.
      maxConnections: Math.ceil(limits.maxConnections * 1.25) + 16,
      inboundConnectionThreshold: limits.inboundPerHostAndSecond,
      maxIncomingPendingConnections: limits.maxIncomingPending,
      addressDialTimeout: limits.dialAddressMs,
      reconnectRetries: 0,
    },
    logger: silentLogger,
    services: {
      // Not a service, but the only way libp2p offers to its parts: getMultiaddrs() hides addresses nobody confirmed.
      listening: (components) => {
        ({ transportManager } = components);
        return {};
      },
    },
  });
  try {
    await libp2p.start();
  } catch (error) {
    await libp2p.stop();
    throw listenError(error, listen);
  }
  return {
    libp2p,
    listenAddresses: () => transportManager?.getAddrs().map(String) ?? [],
  };
}

const LISTEN_ADDRESS = /^\/(?:ip4|ip6)\/[^/]+\/tcp\/\d+$/;

function checkListenAddress(address: string): string {
  try {
    if (LISTEN_ADDRESS.test(address)) return multiaddr(address).toString();
  } catch {
    // what multiaddr has against it matters less than how it should look
  }
  throw new NautilusError(
    'ADDRESS_INVALID',
    `cannot listen on "${address}": use /ip4/<address>/tcp/<port>, e.g. /ip4/0.0.0.0/tcp/4801`,
  );
}

/** libp2p joins the reasons of all addresses into one text. */
function listenError(error: unknown, listen: readonly string[]): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const reason = /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL)\b/.exec(text)?.[1];
  if (reason === undefined) return error;
  const line = text.split('\n').find((candidate) => candidate.includes(reason)) ?? '';
  const address = listen.find((candidate) => line.includes(candidate)) ?? listen.join(', ');
  switch (reason) {
    case 'EADDRINUSE':
      return new NautilusError(
        'PORT_TAKEN',
        `${address} is in use by another program: give another port with --listen, or port 0 for any`,
        {
          cause: error,
          details: { address },
        },
      );
    case 'EACCES':
      return new NautilusError('ADDRESS_INVALID', `not allowed to listen on ${address}: choose a port above 1023`, {
        cause: error,
      });
    default:
      return new NautilusError(
        'ADDRESS_INVALID',
        `${address} is no address of this machine: listen on /ip4/0.0.0.0/tcp/<port>`,
        { cause: error },
      );
  }
}
