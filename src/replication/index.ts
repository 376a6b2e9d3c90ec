/** Door of `replication`: keeping a record on the K closest nodes and finding it again. */
export { parseQuorum, type QuorumChoice, readQuorum, writeQuorum } from './quorum.ts';
export type { HolderStatus, Receipt, ReceiptHolder } from './receipt.ts';
export type { FoundRecord, GetResult, PutResult } from './results.ts';
