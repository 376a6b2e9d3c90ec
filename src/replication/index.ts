/** Door of `replication`: keeping a record on the K closest nodes and finding it again. */
export type { QuorumChoice } from './quorum.ts';
export type { HolderStatus, Receipt, ReceiptHolder } from './receipt.ts';
export { Replication } from './replication.ts';
export type { FoundRecord, GetResult, PutResult } from './results.ts';
