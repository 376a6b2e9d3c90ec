/** Door of `node`: a whole node, from configuration to a running NodeApi. */
export type { ConfigFlags, NodeConfig } from './config.ts';
export { type CreateNodeOptions, createNode, resolveConfig } from './create-node.ts';
export type { NautilusNode, ReadyInfo } from './nautilus-node.ts';
