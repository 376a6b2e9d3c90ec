/** Door of `bootstrap`: how a node finds its first peers, and finds them again. */
export {
  type BootstrapService,
  type BootstrapServiceInit,
  createBootstrapService,
  type ListAddress,
  parseListAddress,
} from './bootstrap-service.ts';
export {
  Bootstrapper,
  type BootstrapperInit,
  type BootstrapState,
  createBootstrapper,
  type NetworkToJoin,
} from './bootstrapper.ts';
export { createListSource, type ListSourceInit } from './list-source.ts';
export { createMdnsSource } from './mdns-source.ts';
export { createSystemNameResolver, type NameResolver } from './name-resolver.ts';
export { type PeerSourcesInit, parsePeerSources } from './parse-peer-sources.ts';
export { type PeerAddress, parsePeerAddress } from './peer-address.ts';
export type { PeerSource } from './peer-source.ts';
