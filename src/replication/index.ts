/** Door of `replication`: keeping a record on the K closest nodes and finding it again. */
export type { DeleteInput } from './delete.ts';
export type { GetInput } from './get.ts';
export type { HolderInit } from './holder.ts';
export type { Publication } from './publications.ts';
export type { PutInput } from './put.ts';
export { type QuorumChoice, readQuorum, writeQuorum } from './quorum.ts';
export type { HolderStatus, Receipt, ReceiptHolder } from './receipt.ts';
export { Replication, type ReplicationComponents } from './replication.ts';
export type { FoundRecord, GetResult, PutResult } from './results.ts';
