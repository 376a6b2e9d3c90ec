/**
 * A libp2p host that is a client of somebody else's Kademlia DHT. It listens nowhere and announces the node's addresses under the node's
 * identity. Which protocol the DHT speaks, and whether it lives on private addresses, is learned from its peers, so that nobody has to be told.
 * Only rendezvous.ts loads this file, by import(): it brings identify, ping and kad-dht, which a node without `--rendezvous` never needs.
 */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { type Identify, identify } from '@libp2p/identify';
import type { Connection, PeerId, PeerInfo } from '@libp2p/interface';
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { NautilusError } from '../core/index.ts';

export interface DhtHostInit {
  readonly privateKey: Uint8Array;
  readonly addresses: readonly string[];
  readonly through: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface DhtHost {
  readonly peerId: PeerId;
  readonly dht: KadDHT;
  readonly announced: readonly string[];
  close(): Promise<void>;
}

interface Dht {
  readonly protocol: string;
  /** Those that answered, at the address that worked. */
  readonly peers: readonly PeerInfo[];
}

const DIAL_TIMEOUT_MS = 10_000;
const MAX_DHT_PEERS = 8;
/** `/ipfs/kad/1.0.0`, `/ipfs/lan/kad/1.0.0`, `/acme/kad/1.0.0` … */
const KAD_PROTOCOL = /\/kad\/\d+(?:\.\d+)*$/;

const TRANSPORT = { transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] };

/** @throws NautilusError as `openRendezvous` */
export async function openDhtHost({ privateKey: seed, addresses, through, signal }: DhtHostInit): Promise<DhtHost> {
  const { protocol, peers } = await findDht(through.slice(0, MAX_DHT_PEERS), signal);
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed);
  const self: PeerInfo = {
    id: peerIdFromPrivateKey(privateKey),
    multiaddrs: addresses.map((address) => multiaddr(address)),
  };
  // A private DHT would stay empty under the default mapper, which drops every private address.
  const isPrivate = peers.every((peer) => removePrivateAddressesMapper(peer).multiaddrs.length === 0);
  const peerInfoMapper = isPrivate ? passthroughMapper : removePrivateAddressesMapper;
  const announced = peerInfoMapper(self).multiaddrs.map(String);

  const host = await createLibp2p({
    ...TRANSPORT,
    privateKey,
    addresses: { listen: [], announce: announced },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ protocol, clientMode: true, peerInfoMapper, initialQuerySelfInterval: 0 }),
    },
  });
  const dials = await Promise.allSettled(
    peers.map(({ multiaddrs }) => host.dial(multiaddrs, { signal: bounded(signal) })),
  );
  if (dials.every(({ status }) => status === 'rejected')) {
    await host.stop();
    signal?.throwIfAborted();
    throw new NautilusError('PEER_UNREACHABLE', 'rendezvous: the peers of the DHT answered once and then no more');
  }
  return {
    peerId: host.peerId,
    dht: host.services.dht,
    announced,
    close: async () => {
      await host.stop();
    },
  };
}

/** Asks the given peers what they speak. A throw-away host, because a DHT's protocol must be known before its service is made. */
async function findDht(through: readonly string[], signal: AbortSignal | undefined): Promise<Dht> {
  const targets = through.map(parse);
  const scout = await createLibp2p({
    ...TRANSPORT,
    addresses: { listen: [] },
    services: { identify: identify({ runOnConnectionOpen: false }) },
  });
  try {
    const answers = await Promise.allSettled(
      targets.map(async (target) => {
        const connection = await scout.dial(target, { signal: bounded(signal) });
        const peer: PeerInfo = { id: connection.remotePeer, multiaddrs: [connection.remoteAddr] };
        return { peer, protocols: await protocolsOf(scout.services.identify, connection, signal) };
      }),
    );
    signal?.throwIfAborted();
    const reached = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (reached.length === 0) {
      const failure = answers.find((answer) => answer.status === 'rejected');
      throw new NautilusError('PEER_UNREACHABLE', `rendezvous: none of ${through.join(', ')} answers`, {
        cause: failure?.reason,
      });
    }
    const protocol = reached.flatMap(({ protocols }) => protocols).find((name) => KAD_PROTOCOL.test(name));
    if (protocol === undefined) {
      throw new NautilusError(
        'UNSUPPORTED',
        `rendezvous: ${through.join(', ')} belongs to no libp2p DHT (no …/kad/1.0.0 among its protocols); name a DHT server`,
      );
    }
    const speakers = reached.filter(({ protocols }) => protocols.includes(protocol));
    return { protocol, peers: speakers.map(({ peer }) => peer) };
  } finally {
    await scout.stop();
  }
}

async function protocolsOf(
  service: Identify,
  connection: Connection,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { protocols } = await service.identify(connection, { signal: bounded(signal) });
  return protocols;
}

function parse(address: string): Multiaddr {
  try {
    return multiaddr(address);
  } catch (cause) {
    throw new NautilusError('ADDRESS_INVALID', `--rendezvous: "${address}" is not a multiaddr`, { cause });
  }
}

function bounded(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}
