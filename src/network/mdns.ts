/**
 * Finds nodes of the same network on the local link by multicast DNS. The service name carries the network's name, so that networks do not even
 * see each other. @libp2p/mdns needs no libp2p host for this, only our addresses; it is loaded when it is asked for, no earlier.
 */
import type { ComponentLogger, Logger, PeerDiscovery, Startable } from '@libp2p/interface';
import type { MulticastDNSComponents } from '@libp2p/mdns';
import type { Clock, Observer } from '../core/index.ts';

export interface MdnsInit {
  readonly network: string;
  readonly peerId: string;
  /** Where this node can be dialled, without `/p2p/…`. Of these, @libp2p/mdns tells the private ones: mDNS is for one link. */
  readonly addresses: () => readonly string[];
  /** False: look, but do not tell. For clients, which nobody can join through. */
  readonly announce: boolean;
  readonly clock: Clock;
  readonly observer: Observer;
}

export interface Mdns {
  /** Addresses, with `/p2p/…`, heard in the last two minutes. */
  found(): readonly string[];
  /** Idempotent. */
  stop(): Promise<void>;
}

const QUERY_INTERVAL_MS = 10_000;
/** The TTL @libp2p/mdns gives its answers. */
const FORGET_AFTER_MS = 120_000;
const MAX_PEERS = 64;
const MAX_ADDRESSES_PER_PEER = 4;

/** Trouble with the socket (port not shareable, no multicast route) is told to `observer`, each kind once: a link may come up later. */
export async function startMdns({ network, peerId, addresses, announce, clock, observer }: MdnsInit): Promise<Mdns> {
  const [{ mdns }, { multiaddr }] = await Promise.all([import('@libp2p/mdns'), import('@multiformats/multiaddr')]);
  // BOUNDED: MAX_PEERS; who was not heard of for longest goes first.
  const heard = new Map<string, { readonly addresses: readonly string[]; readonly at: number }>();

  const addressManager = {
    getAddresses: () => withoutNeedlessLoopback(addresses()).map((address) => multiaddr(`${address}/p2p/${peerId}`)),
  } as MulticastDNSComponents['addressManager']; // the one method it calls
  const service = mdns({ serviceTag: serviceTagOf(network), interval: QUERY_INTERVAL_MS, broadcast: announce })({
    addressManager,
    logger: createWarningLogger((message) => observer.notify({ type: 'warning', code: 'MDNS', message })),
  }) as PeerDiscovery & Startable;

  service.addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
    const text = id.toString();
    if (text === peerId) return;
    const told = multiaddrs.slice(0, MAX_ADDRESSES_PER_PEER).map((address) => `${address}/p2p/${text}`);
    heard.delete(text);
    heard.set(text, { addresses: told, at: clock.monotonic() });
    for (const oldest of heard.keys()) {
      if (heard.size <= MAX_PEERS) break;
      heard.delete(oldest);
    }
  });
  await service.start();

  return {
    found: () => {
      const since = clock.monotonic() - FORGET_AFTER_MS;
      return [...heard.values()].flatMap(({ addresses: told, at }) => (at >= since ? told : []));
    },
    stop: async () => {
      await service.stop();
    },
  };
}

/** One DNS label for the network, which may hold dots: no network name holds a `+`, so no two share a tag. */
function serviceTagOf(network: string): string {
  return `${network.replaceAll('.', '+')}._nautilus._udp.local`;
}

/** On another machine our loopback address leads to that machine itself. It is told only by a node that has no other. */
function withoutNeedlessLoopback(addresses: readonly string[]): readonly string[] {
  const others = addresses.filter((address) => !/^\/(?:ip4\/127\.|ip6\/::1\/)/.test(address));
  return others.length > 0 ? others : addresses;
}

/** A libp2p logger that passes on errors, each text once, and drops the rest. */
function createWarningLogger(onWarning: (message: string) => void): ComponentLogger {
  // BOUNDED: by the limit below; past it warnings are dropped, the first ones told what is wrong.
  const told = new Set<string>();
  const maxTold = 16;
  const ignore = () => undefined;
  const logger: Logger = Object.assign(ignore, {
    error: (formatter: unknown, ...details: unknown[]) => {
      const cause = details.find((detail) => detail instanceof Error);
      const message = cause === undefined ? String(formatter) : `mDNS on the local network: ${cause.message}`;
      if (told.has(message) || told.size >= maxTold) return;
      told.add(message);
      onWarning(message);
    },
    trace: ignore,
    enabled: false,
    newScope: () => logger,
  });
  return { forComponent: () => logger };
}
