/** Somebody else's DHT: plain @libp2p/kad-dht servers on loopback that know nothing of Nautilus. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';

export interface DhtNetwork {
  /** One address per server, with `/p2p/…`. */
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/** Resolves when every server but the first is connected to the first. */
export async function startDhtNetwork(size: number, protocol?: string): Promise<DhtNetwork> {
  const servers = await Promise.all(Array.from({ length: size }, () => startServer(protocol)));
  const [first, ...others] = servers;
  await Promise.all(others.map((server) => server.dial(first!.getMultiaddrs())));
  return {
    addresses: servers.map((server) => server.getMultiaddrs()[0]!.toString()),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

function startServer(protocol: string | undefined) {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 1_000 },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        ...(protocol !== undefined && { protocol }),
      }),
    },
  });
}
