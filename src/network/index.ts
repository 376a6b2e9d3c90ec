/** Door of `network`: the only room that knows libp2p. */
export { type Mdns, type MdnsInit, startMdns } from './mdns.ts';
export { openRendezvous, type Rendezvous, type RendezvousInit } from './rendezvous.ts';
