/** Door of `network`: the Transport over libp2p, and finding peers by multicast DNS and through a libp2p DHT. The only room that knows libp2p. */
export { type CreateLibp2pTransportOptions, createLibp2pTransport } from './create-libp2p-transport.ts';
export type { Libp2pTransport } from './libp2p-transport.ts';
export { type Mdns, type MdnsInit, startMdns } from './mdns.ts';
export { DEFAULT_NETWORK_LIMITS, LOOPBACK_NETWORK_LIMITS } from './network-limits.ts';
export { openRendezvous, type Rendezvous, type RendezvousInit } from './rendezvous.ts';
