/** Door of `bootstrap`: how a node finds its first peers, and finds them again. */
export { type BootstrapService, createBootstrapService, parseListAddress } from './bootstrap-service.ts';
export { type Bootstrapper, createBootstrapper } from './bootstrapper.ts';
export { createListSource } from './list-source.ts';
export { createSystemNameResolver } from './name-resolver.ts';
export { parsePeerSources, parseRendezvousAddress } from './parse-peer-sources.ts';
export { parsePeerAddress } from './peer-address.ts';
