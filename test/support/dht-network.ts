/** Somebody else's DHT: plain @libp2p/kad-dht servers on loopback that know nothing of Nautilus. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import { type KadDHT, kadDHT, passthroughMapper, type SingleKadDHT } from '@libp2p/kad-dht';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { until } from './until.ts';

export interface DhtNetwork {
  /** One address per server, with `/p2p/…`. */
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/**
 * Resolves when every server has every other in its routing table. A connection is not enough: a peer enters the table once it was identified
 * and pinged, and until then an announcement through one server and a search through another can miss each other.
 */
export async function startDhtNetwork(size: number, protocol?: string): Promise<DhtNetwork> {
  const servers = await Promise.all(Array.from({ length: size }, () => startServer(protocol)));
  const pairs = servers.flatMap((server, i) => servers.slice(i + 1).map((other) => [server, other] as const));
  await Promise.all(pairs.map(([server, other]) => server.dial(other.getMultiaddrs())));
  await until('the DHT servers know each other', () =>
    servers.every((server) => tableOf(server.services.dht).size === size - 1) ? true : undefined,
  );
  return {
    addresses: servers.map((server) => server.getMultiaddrs()[0]!.toString()),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** What kadDHT() makes is the one with a table; its type is the wider one. */
function tableOf(dht: KadDHT): SingleKadDHT['routingTable'] {
  return (dht as SingleKadDHT).routingTable;
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
