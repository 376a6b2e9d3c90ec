/** Door of `client`: talking to a running node through its control socket. Loads no libp2p and no schemas. */

export { type ConnectControlOptions, connectControl } from './connect-control.ts';
export type { ControlClient } from './control-client.ts';
export { type BatchOptions, streamBatch } from './stream-batch.ts';
